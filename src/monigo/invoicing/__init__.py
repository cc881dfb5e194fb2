"""What customers owe: drafts, final invoices, and the rule that bills each unit once."""

from monigo.invoicing.closing import SLICE_SIZE, PeriodClose, close_some, wake_some
from monigo.invoicing.lifecycle import (
    cancel_subscription,
    change_plan,
    delete_subscription,
    resume_subscription,
    subscribe,
)
from monigo.invoicing.realtime import CHARGED_AT_ONCE, charge_some
from monigo.invoicing.replays import price_changes
from monigo.invoicing.rules import invoice_number
from monigo.invoicing.service import (
    delete,
    finalize,
    generate,
    get,
    list_drafts,
    list_page,
    mark_paid,
    preview,
    recheck,
    refresh_draft,
    refuse_customer_with_unpaid_invoice,
    void,
)
from monigo.invoicing.types import (
    Invoice,
    InvoiceFilter,
    InvoiceKind,
    InvoiceStatus,
    Line,
    LineKind,
    PriceChange,
    Reckoned,
    StoredLine,
)
from monigo.invoicing.verification import verify

__all__ = [
    "CHARGED_AT_ONCE",
    "SLICE_SIZE",
    "Invoice",
    "InvoiceFilter",
    "InvoiceKind",
    "InvoiceStatus",
    "Line",
    "LineKind",
    "PeriodClose",
    "PriceChange",
    "Reckoned",
    "StoredLine",
    "cancel_subscription",
    "change_plan",
    "charge_some",
    "close_some",
    "delete",
    "delete_subscription",
    "finalize",
    "generate",
    "get",
    "invoice_number",
    "list_drafts",
    "list_page",
    "mark_paid",
    "preview",
    "price_changes",
    "recheck",
    "refresh_draft",
    "refuse_customer_with_unpaid_invoice",
    "resume_subscription",
    "subscribe",
    "verify",
    "void",
    "wake_some",
]
