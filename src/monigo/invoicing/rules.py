"""Pure rules of invoices: the delta rule, credits, totals, and which state follows which."""

from monigo.catalog import PlanType
from monigo.invoicing.types import InvoiceStatus

# Statuses whose amounts count as charged.
LIVE = (
    InvoiceStatus.FINALIZED,
    InvoiceStatus.PAYMENT_FAILED,
    InvoiceStatus.PAID,
    InvoiceStatus.UNCOLLECTIBLE,
)


def invoice_number(number: int | None, plan_type: PlanType = PlanType.COLLECTION) -> str:
    """How a number is written, such as INV-000123 or BILL-000123; empty while there is none."""
    prefix = "INV" if plan_type is PlanType.COLLECTION else "BILL"
    return "" if number is None else f"{prefix}-{number:06d}"
