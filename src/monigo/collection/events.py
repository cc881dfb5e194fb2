"""The facts of collection."""

from datetime import datetime
from decimal import Decimal

from monigo.core.ids import CustomerId, InvoiceId
from monigo.infra.outbox import Fact


class InvoiceOverdue(Fact, frozen=True, kw_only=True):
    """An unpaid invoice without a saved method is overdue: the `reminder`-th reminder of it."""

    subject = "invoice"
    subject_field = "invoice_id"
    invoice_id: InvoiceId
    customer_id: CustomerId
    currency: str
    amount_due: Decimal
    due_date: datetime
    reminder: int
