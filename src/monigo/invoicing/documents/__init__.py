"""Documents: invoices and bills as they are stored, settled, and paid by wallets."""

from monigo.invoicing.documents.rated_store import load_drafts_of_periods, write_drafts
from monigo.invoicing.documents.rules import (
    check_can_delete,
    check_can_finalize,
    check_can_mark_paid,
    check_can_void,
)
from monigo.invoicing.documents.settlement import ByWallet, InvoicePayment, Received, settle
from monigo.invoicing.documents.states_store import void
from monigo.invoicing.documents.store import (
    NUMBERED_AS,
    count_unpaid,
    delete,
    drafts_from,
    is_waived,
    list_drafts,
    list_page,
    load,
    load_lines,
)
from monigo.invoicing.documents.verify_payments import compare_sources
from monigo.invoicing.documents.verify_payments_store import PERIOD_NAME
from monigo.invoicing.documents.wallet_payments import (
    INVOICE,
    PERIOD,
    Paid,
    charge,
    insufficient,
    open_periods,
    pay,
    pay_waiting,
    refund,
    refund_charges,
    wake,
)

__all__ = [
    "INVOICE",
    "NUMBERED_AS",
    "PERIOD",
    "PERIOD_NAME",
    "ByWallet",
    "InvoicePayment",
    "Paid",
    "Received",
    "charge",
    "check_can_delete",
    "check_can_finalize",
    "check_can_mark_paid",
    "check_can_void",
    "compare_sources",
    "count_unpaid",
    "delete",
    "drafts_from",
    "insufficient",
    "is_waived",
    "list_drafts",
    "list_page",
    "load",
    "load_drafts_of_periods",
    "load_lines",
    "open_periods",
    "pay",
    "pay_waiting",
    "refund",
    "refund_charges",
    "settle",
    "void",
    "wake",
    "write_drafts",
]
