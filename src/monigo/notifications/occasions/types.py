"""What customers are written to about."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from msgspec import Struct

from monigo.alerts import AlertType
from monigo.core.ids import CustomerId, InvoiceId
from monigo.customers import CustomerDetails
from monigo.invoicing import Invoice
from monigo.tenancy import MailType, Organization


class Card(Struct, frozen=True):
    """A saved card; `month` of `year` is the last in which it can be charged."""

    brand: str
    last4: str
    month: int
    year: int
    is_expired: bool


class ReachedThreshold(Struct, frozen=True):
    """A threshold of an alert, and what reached it: a quantity, or money in the currency."""

    kind: AlertType
    label: str
    threshold: Decimal
    value: Decimal


class Occasion(Struct, frozen=True, kw_only=True):
    """What a customer is to be written to about, as the fact had it.

    `document_id` is the invoice's or the bill's. `is_for_wallet`: the money was for a balance.
    """

    type: MailType
    customer_id: CustomerId
    occurred_at: datetime
    document_id: InvoiceId | None = None
    number: str = ""
    is_for_wallet: bool = False
    currency: str = ""
    amount: Decimal | None = None
    total: Decimal | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None
    due_date: datetime | None = None
    reference: str = ""
    card: Card | None = None
    reached: ReachedThreshold | None = None


class Undone(StrEnum):
    """Why there is nothing to say any more of an occasion."""

    # What it was about is paid by now, or was taken back.
    SETTLED = "settled"
    WITHDRAWN = "withdrawn"


class Circumstances(Struct, frozen=True):
    """All that a notice is made of beside its occasion, as it stands when the notice is made.

    `customer` is None once deleted; `document` is the occasion's, with what is due of it by now.
    """

    organization: Organization
    is_test: bool
    customer: CustomerDetails | None
    document: Invoice | None = None
    pay_url: str = ""

    @property
    def zone(self) -> ZoneInfo:
        """Whose days are written."""
        return ZoneInfo(self.organization.billing.timezone)
