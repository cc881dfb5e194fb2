"""Use cases of splits."""

from collections.abc import Sequence
from uuid import UUID

from monigo import catalog
from monigo.catalog import Plan, PlanType
from monigo.core.errors import conflict, invalid
from monigo.infra.db import Transaction
from monigo.payments import payout_accounts
from monigo.payouts.splits import store
from monigo.payouts.splits.rules import check_splits
from monigo.payouts.splits.types import PlanSplits, Split


async def get_splits(tx: Transaction, plan_id: UUID) -> PlanSplits:
    """The splits of a payout plan; a collection plan has none. Raises not_found."""
    return await _splits_of(tx, await catalog.get_plan(tx, plan_id))


async def set_splits(tx: Transaction, plan_id: UUID, splits: Sequence[Split]) -> PlanSplits:
    """Have a payout plan's bills split so from now on; those that are on their way are not.

    Raises:
        DomainError: not_found; invalid, naming each fault; conflict for another plan.
    """
    plan = await catalog.lock_plan(tx, plan_id)
    check_splits(splits)
    faults: dict[str, str] = {}
    known = await payout_accounts.load(tx, [one.payout_account_id for one in splits])
    for position, split in enumerate(splits):
        account = known.get(split.payout_account_id)
        if account is None:
            faults[f"splits[{position}].payout_account_id"] = "is unknown"
        elif account.currency != plan.details.currency:
            message = f"must be of {plan.details.currency}, as the plan is"
            faults[f"splits[{position}].payout_account_id"] = message
    if faults:
        raise invalid(faults)
    before = await _splits_of(tx, _paying_out(plan))
    await store.replace_all(tx, plan.id, splits)
    after = await _splits_of(tx, plan)
    tx.changed(before, after)
    return after


async def _splits_of(tx: Transaction, plan: Plan) -> PlanSplits:
    return PlanSplits(plan.id, plan.details.currency, await store.load(tx, plan.id))


def _paying_out(plan: Plan) -> Plan:
    if plan.details.plan_type is not PlanType.PAYOUT:
        raise conflict("collection_plan", "a collection plan pays nobody out")
    return plan
