"""Routes that explain an invoice or a bill: for each amount, what it was computed from, and how."""

from fastapi import APIRouter

from monigo import invoicing
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id
from monigo.api.merchant.explanations.schemas import ExplanationEnvelope, ExplanationOut
from monigo.catalog import PlanType
from monigo.core.access import Permission

router = APIRouter(route_class=TenantRoute, tags=["invoices"])


@router.get("/invoices/{invoice_id}/explain")
@atomic(Permission.INVOICES_READ)
async def explain_invoice(tx: Tx, invoice_id: Id) -> ExplanationEnvelope:
    """Explain how each amount of an invoice came about, step by step."""
    explanation = await invoicing.explain(tx, invoice_id)
    return ExplanationEnvelope(explanation=ExplanationOut.of(explanation))


@router.get("/bills/{bill_id}/explain", tags=["bills"])
@atomic(Permission.BILLS_READ)
async def explain_bill(tx: Tx, bill_id: Id) -> ExplanationEnvelope:
    """Explain how each amount of a bill came about, step by step."""
    explanation = await invoicing.explain(tx, bill_id, plan_type=PlanType.PAYOUT)
    return ExplanationEnvelope(explanation=ExplanationOut.of(explanation))
