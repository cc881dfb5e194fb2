"""What customers owe: drafts, final invoices, and the rule that bills each unit once."""

from monigo.invoicing import events
from monigo.invoicing.closing import (
    cancel_subscription,
    change_plan,
    delete_subscription,
    resume_subscription,
    schedule_cancel,
    schedule_plan_change,
    subscribe,
)
from monigo.invoicing.documents import open_periods
from monigo.invoicing.explain import BilledBefore, ExplainedLine, Explanation, explain
from monigo.invoicing.export import export_invoices, export_revenue
from monigo.invoicing.replays import replay_job
from monigo.invoicing.retention import open_from
from monigo.invoicing.rules import invoice_number
from monigo.invoicing.service import (
    delete,
    finalize,
    generate,
    get,
    list_page,
    mark_paid,
    preview,
    refuse_customer_with_unpaid_invoice,
    void,
)
from monigo.invoicing.simulate import (
    CUSTOMERS_MAX,
    SIMULATION,
    SIMULATION_JOB,
    NewSimulation,
    PlannedSimulation,
    Simulation,
    SimulationStatus,
    get_simulation,
    plan_simulation,
    price_at_once,
)
from monigo.invoicing.tasks import CHARGE, CLOSE, SLICES_AT_ONCE, WAKE
from monigo.invoicing.types import (
    AgreedPrice,
    Invoice,
    InvoiceFilter,
    InvoiceKind,
    InvoiceStatus,
    Line,
    LineKind,
    PriceChange,
    RatedInvoice,
    StoredLine,
)
from monigo.invoicing.verification import verify

__all__ = [
    "CHARGE",
    "CLOSE",
    "CUSTOMERS_MAX",
    "SIMULATION",
    "SIMULATION_JOB",
    "SLICES_AT_ONCE",
    "WAKE",
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
    "NewSimulation",
    "PlannedSimulation",
    "PriceChange",
    "RatedInvoice",
    "Simulation",
    "SimulationStatus",
    "StoredLine",
    "cancel_subscription",
    "change_plan",
    "delete",
    "delete_subscription",
    "events",
    "explain",
    "export_invoices",
    "export_revenue",
    "finalize",
    "generate",
    "get",
    "get_simulation",
    "invoice_number",
    "list_page",
    "mark_paid",
    "open_from",
    "open_periods",
    "plan_simulation",
    "preview",
    "price_at_once",
    "refuse_customer_with_unpaid_invoice",
    "replay_job",
    "resume_subscription",
    "schedule_cancel",
    "schedule_plan_change",
    "subscribe",
    "verify",
    "void",
]
