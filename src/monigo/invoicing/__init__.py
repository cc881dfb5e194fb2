"""What customers owe: drafts, final invoices, and the rule that bills each unit once."""

from monigo.invoicing.replays import price_changes
from monigo.invoicing.rules import invoice_number
from monigo.invoicing.service import (
    cancel_subscription,
    delete,
    delete_subscription,
    finalize,
    generate,
    get,
    list_drafts,
    list_page,
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
    PriceChange,
    StoredLine,
)
from monigo.invoicing.verification import verify

__all__ = [
    "Invoice",
    "InvoiceFilter",
    "InvoiceKind",
    "InvoiceStatus",
    "Line",
    "PriceChange",
    "StoredLine",
    "cancel_subscription",
    "delete",
    "delete_subscription",
    "finalize",
    "generate",
    "get",
    "invoice_number",
    "list_drafts",
    "list_page",
    "price_changes",
    "refresh_draft",
    "refuse_customer_with_unpaid_invoice",
    "verify",
    "void",
]
