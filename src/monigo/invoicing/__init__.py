"""What customers owe: drafts, final invoices, and the rule that bills each unit once."""

from monigo.invoicing.closing import SLICE_SIZE, PeriodClose, close_some
from monigo.invoicing.explaining import explain
from monigo.invoicing.lifecycle import (
    cancel_subscription,
    change_plan,
    delete_subscription,
    resume_subscription,
    subscribe,
)
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
    AgreedPrice,
    BilledBefore,
    ExplainedLine,
    Explanation,
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
    "SLICE_SIZE",
    "AgreedPrice",
    "BilledBefore",
    "ExplainedLine",
    "Explanation",
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
    "close_some",
    "delete",
    "delete_subscription",
    "explain",
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
]
