"""Routes of splits of payout plans."""

from fastapi import APIRouter

from monigo import payouts
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id
from monigo.api.merchant.plans.payout_splits.schemas import (
    SPLITS,
    PlanSplitsEnvelope,
    PlanSplitsOut,
    SplitsIn,
)
from monigo.core.access import Permission

router = APIRouter(route_class=TenantRoute, tags=["payouts"])


@router.get("/plans/{plan_id}/payout-splits")
@atomic(Permission.PLANS_READ)
async def get_payout_splits(tx: Tx, plan_id: Id) -> PlanSplitsEnvelope:
    """Read what of a payout plan's bills goes to other accounts than the payee's."""
    found = await payouts.splits.get_splits(tx, plan_id)
    return PlanSplitsEnvelope(payout_splits=PlanSplitsOut.of(found))


@router.put("/plans/{plan_id}/payout-splits")
@atomic(Permission.PAYOUTS_WRITE, changes=SPLITS)
async def set_payout_splits(tx: Tx, plan_id: Id, body: SplitsIn) -> PlanSplitsEnvelope:
    """Split a payout plan's bills from now on; the rest of each goes to the payee.

    Fixed amounts come first, as far as a bill goes, then percentages of its total, rounded down.
    """
    found = await payouts.splits.set_splits(tx, plan_id, [one.split() for one in body.splits])
    return PlanSplitsEnvelope(payout_splits=PlanSplitsOut.of(found))
