"""Use cases of prices, for the plans that they are on."""

from collections.abc import Collection, Sequence
from uuid import UUID

from monigo.catalog import metrics
from monigo.catalog.prices import store
from monigo.catalog.prices.rules import (
    PriceChanges,
    percentage_faults,
)
from monigo.catalog.prices.types import Price, PriceDraft, PriceRevision
from monigo.core.errors import DomainError, ErrorKind, InvariantError, invalid, not_found
from monigo.core.ids import PlanId, PriceId
from monigo.infra.db import Transaction
from monigo.infra.ids import new_id


async def check_metrics(
    tx: Transaction, wanted: Sequence[PriceDraft], overridden: Collection[PriceId]
) -> None:
    """Lock the metrics that prices are to be put on; refuse unknown and unfit ones.

    `overridden` are the prices of which some customer's override takes a percentage.

    Raises:
        DomainError: not_found or invalid, naming the field.
    """
    known = await metrics.lock_metrics(tx, [draft.terms.metric_id for draft in wanted])
    unknown = {
        f"prices[{position}].metric_id": "metric not found"
        for position, draft in enumerate(wanted)
        if draft.terms.metric_id not in known
    }
    if unknown:
        raise DomainError(
            ErrorKind.NOT_FOUND, "metric_not_found", "metric not found", fields=unknown
        )
    faults = {
        f"prices[{position}].metric_id": "belongs to a payout rule"
        for position, draft in enumerate(wanted)
        if known[draft.terms.metric_id].definition.is_rule
    } or percentage_faults(wanted, known, overridden)
    if faults:
        raise invalid(faults)


async def store_changes(
    tx: Transaction, plan: tuple[PlanId, int], changes: PriceChanges
) -> tuple[PriceId, ...]:
    """Add what a revision of a plan does to its prices; the ids of the new ones."""
    added = tuple(PriceId(new_id()) for _ in changes.added)
    for price_id, (position, draft) in zip(added, changes.added, strict=True):
        await store.insert(tx, price_id, plan[0])
        await store.insert_revision(
            tx, price_id, draft.terms, revision=1, plan=plan, position=position, removed=False
        )
    for position, price, draft in changes.revised:
        await store.insert_revision(
            tx,
            price.id,
            draft.terms,
            revision=price.revision + 1,
            plan=plan,
            position=position,
            removed=False,
        )
    for price in changes.removed:
        await store.insert_revision(
            tx,
            price.id,
            price.terms,
            revision=price.revision + 1,
            plan=plan,
            position=0,
            removed=True,
        )
    return added


async def present_of(tx: Transaction, plan_ids: Sequence[UUID]) -> dict[UUID, list[Price]]:
    """The present prices of each plan, in the plan's order."""
    return await store.load_present(tx, plan_ids)


async def revisions_of(
    tx: Transaction, plan_ids: Sequence[UUID]
) -> dict[UUID, list[PriceRevision]]:
    """All revisions of each plan's prices, in the order of the plan's revisions."""
    return await store.load_revisions(tx, plan_ids)


async def lock_offered(tx: Transaction, price_id: UUID) -> PriceRevision:
    """A price of a living plan, which can't be edited until the transaction ends.

    Raises:
        DomainError: not_found, also where the plan is deleted or the price removed.
    """
    known = await store.load(tx, price_id)
    if known is None or not await store.lock_plan(tx, known.price.plan_id):
        raise not_found("price")
    price = await store.load(tx, price_id)
    if price is None or price.removed:
        raise not_found("price")
    return price


async def lock_known(tx: Transaction, price_id: PriceId) -> PriceRevision:
    """A price that exists, removed or not, which can't be edited until the transaction ends."""
    known = await store.load(tx, price_id)
    if known is not None:
        # A deleted plan is not found, nor edited any more.
        await store.lock_plan(tx, known.price.plan_id)
        known = await store.load(tx, price_id)
    if known is None:
        raise InvariantError("an override's price exists")
    return known
