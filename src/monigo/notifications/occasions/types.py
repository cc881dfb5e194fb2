"""What customers are written to about."""

from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from monigo.core.ids import CustomerId, InvoiceId
from monigo.tenancy import MailType


class Card(Struct, frozen=True):
    """A saved card; `month` of `year` is the last in which it can be charged."""

    brand: str
    last4: str
    month: int
    year: int
    is_expired: bool


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
