"""Routes of plans and their prices."""

from decimal import Decimal

from fastapi import APIRouter

from monigo import catalog, tenancy
from monigo.api.kernel.changes import Changes
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import Message
from monigo.api.kernel.wire.paging import Paging, counts
from monigo.api.merchant.plans.schemas import (
    PlanEnvelope,
    PlanIn,
    PlanList,
    PlanOut,
    PlanRevisionList,
    PlanRevisionOut,
    PlanUpdate,
)
from monigo.api.merchant.prices.schemas import price_drafts
from monigo.catalog import ApplyTo, BaseFee, BillingMode, Plan, PlanChanges, PlanDetails, PlanType
from monigo.core.access import Permission
from monigo.core.errors import invalid
from monigo.core.paging import Page
from monigo.core.periods import BillingPeriod

router = APIRouter(route_class=TenantRoute, tags=["plans"])

PLAN = Changes("plan", Plan, PlanOut.of)


@router.post("/plans", status_code=201)
@atomic(Permission.PLANS_WRITE, changes=PLAN)
async def create_plan(tx: Tx, body: PlanIn) -> PlanEnvelope:
    """Offer a plan with its prices, and on a payout plan its payout rules."""
    _check_currency(body.currency)
    details = PlanDetails(
        name=body.name or "",
        description=body.description or "",
        currency=body.currency or "NGN",
        plan_type=body.plan_type or PlanType.COLLECTION,
        billing_period=body.billing_period or BillingPeriod.MONTHLY,
        billing_mode=body.billing_mode or BillingMode.POSTPAID,
        trial_period_days=body.trial_period_days or 0,
    )
    base_fee = BaseFee(body.base_fee or Decimal(0), in_advance=body.in_advance() or False)
    plan = await catalog.create_plan(
        tx, details, price_drafts(body.prices or []), base_fee, body.rule_drafts() or ()
    )
    return PlanEnvelope(plan=PlanOut.of(tx, plan))


@router.get("/plans", response_model=PlanList)
@atomic(Permission.PLANS_READ)
async def list_plans(tx: Tx, paging: Paging) -> ListResponse:
    """List plans, newest first."""
    page = await catalog.list_plans(tx, paging)
    return ListResponse("plans", page, lambda item: PlanOut.of(tx, item))


@router.get("/plans/{plan_id}")
@atomic(Permission.PLANS_READ)
async def get_plan(tx: Tx, plan_id: Id) -> PlanEnvelope:
    """Read a plan with its prices."""
    return PlanEnvelope(plan=PlanOut.of(tx, await catalog.get_plan(tx, plan_id)))


@router.get("/plans/{plan_id}/revisions")
@atomic(Permission.PLANS_READ)
async def list_plan_revisions(tx: Tx, plan_id: Id, paging: Paging) -> PlanRevisionList:
    """List what a plan cost before and after each edit, newest first."""
    history = await catalog.get_history(tx, plan_id)
    newest_first = list(catalog.revisions_with_prices(history))[::-1]
    asked_for = newest_first[paging.offset : paging.offset + paging.limit]
    page = Page(asked_for, len(newest_first), paging.offset)
    metrics = await catalog.get_metrics(
        tx, {price.terms.metric_id for _, prices in asked_for for price in prices}
    )
    currency = history.details.currency
    return PlanRevisionList(
        revisions=[
            PlanRevisionOut.of(revision, prices, catalog.rules_of(prices, metrics), currency)
            for revision, prices in page.items
        ],
        **counts(page),
    )


@router.put("/plans/{plan_id}")
@atomic(Permission.PLANS_WRITE, changes=PLAN)
async def update_plan(tx: Tx, plan_id: Id, body: PlanUpdate) -> PlanEnvelope:
    """Change what is sent. `prices`, `payout_rules` absent: unchanged; present: whole lists."""
    _check_currency(body.currency)
    changes = PlanChanges(
        details=body.changes(),
        prices=None if body.prices is None else price_drafts(body.prices),
        base_fee=body.base_fee,
        in_advance=body.in_advance(),
        apply_to=body.apply_to or ApplyTo.ALL,
        rules=body.rule_drafts(),
    )
    plan = await catalog.update_plan(tx, plan_id, changes)
    return PlanEnvelope(plan=PlanOut.of(tx, plan))


@router.delete("/plans/{plan_id}")
@atomic(Permission.PLANS_WRITE, changes=PLAN)
async def delete_plan(tx: Tx, plan_id: Id) -> Message:
    """Hide a plan, unless it has active subscriptions."""
    await catalog.delete_plan(tx, plan_id)
    return Message(message="plan deleted")


def _check_currency(code: str | None) -> None:
    if code and not tenancy.is_currency(code):
        raise invalid({"currency": "must be an ISO 4217 currency code such as NGN"})
