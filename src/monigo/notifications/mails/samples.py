"""Made-up occasions, by which merchants see what each mail says."""

from datetime import datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from monigo.alerts import AlertType
from monigo.core.ids import CustomerId, InvoiceId
from monigo.core.periods import midnight_months_ago
from monigo.customers import CustomerDetails
from monigo.infra.ids import new_id
from monigo.notifications.occasions import Card, Circumstances, Occasion, ReachedThreshold
from monigo.tenancy import MailType, Organization

_CUSTOMER = CustomerDetails("", "Ada Obi", "ada@example.com", "", {})
_AMOUNT = Decimal(12_500)
_THRESHOLD = Decimal(10_000)
_LATE = timedelta(days=3)
_PAY_URL = "https://checkout.example.com/pay"


def sample(
    organization: Organization, mail_type: MailType, now: datetime, *, locale: str, is_test: bool
) -> tuple[Occasion, Circumstances]:
    """A mail of this type as the organisation's customers get it, with sample data."""
    zone = organization.billing.timezone
    base = Occasion(
        type=mail_type,
        customer_id=CustomerId(new_id()),
        occurred_at=now,
        document_id=InvoiceId(new_id()),
        number="BILL-000042" if mail_type is MailType.PAYOUT_SENT else "INV-000042",
        currency=organization.billing.default_currency,
        amount=_AMOUNT,
        total=_AMOUNT,
        period_start=midnight_months_ago(now, 1, zone),
        period_end=midnight_months_ago(now, 0, zone),
        due_date=now - _LATE if mail_type is MailType.INVOICE_OVERDUE else now + _LATE,
        reference="mg_sample_000042",
        card=Card("Visa", "4081", now.month, now.year, is_expired=False),
        reached=ReachedThreshold(AlertType.COST_EXCEEDED, "80 %", _THRESHOLD, _AMOUNT),
    )
    known = Circumstances(
        organization, is_test, replace(_CUSTOMER, locale=locale), pay_url=_PAY_URL
    )
    return base, known
