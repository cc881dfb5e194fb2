"""Use cases of metrics, plans and prices."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from monigo.catalog import overrides
from monigo.catalog import prices as price_list
from monigo.catalog.metrics import MetricDeletion, MetricUnsumming
from monigo.catalog.plans import store
from monigo.catalog.plans.events import PlanCreated, PlanDeleted, PlanEdited, PriceChanged
from monigo.catalog.plans.rules import base_fee_after, check_base_fee, check_details, fixed_terms
from monigo.catalog.plans.types import (
    NO_BASE_FEE,
    ApplyTo,
    BaseFee,
    Plan,
    PlanChanges,
    PlanDeletion,
    PlanDetails,
    PlanHistory,
    PlanTermsChange,
)
from monigo.catalog.prices import NO_PRICE_CHANGES, PriceDraft, price_changes
from monigo.core.errors import conflict, invalid, not_found
from monigo.core.ids import PlanId
from monigo.core.paging import Page, PageRequest
from monigo.infra import outbox, registry
from monigo.infra.db import RowLock, Transaction
from monigo.infra.facts import Fact
from monigo.infra.ids import new_id


async def refuse_metric_with_price(tx: Transaction, asked: MetricDeletion) -> None:
    """Raise conflict, naming the plan, while a live plan has a price on a metric."""
    plan_name = await store.plan_using_metric(tx, asked.metric_id)
    if plan_name is not None:
        raise conflict("metric_in_use", f"the plan {plan_name!r} has a price on this metric")


async def refuse_percentage_of_other(tx: Transaction, asked: MetricUnsumming) -> None:
    """Raise invalid, naming the plan, while a live plan takes a percentage of a metric."""
    plan_name = await store.plan_with_percentage(tx, asked.metric_id)
    if plan_name is not None:
        message = f"must stay sum: the plan {plan_name!r} takes a percentage of it"
        raise invalid({"aggregation": message})


async def create_plan(
    tx: Transaction,
    details: PlanDetails,
    prices: Sequence[PriceDraft],
    base_fee: BaseFee = NO_BASE_FEE,
) -> Plan:
    """Offer a plan with its prices and base fee.

    Raises:
        DomainError: invalid; not_found, naming the metric's field.
    """
    check_details(details)
    check_base_fee(base_fee)
    await _check_metrics(tx, prices)
    plan_id = PlanId(new_id())
    await store.insert(tx, plan_id, details)
    await store.insert_revision(tx, plan_id, 1, apply_to=ApplyTo.ALL, base_fee=base_fee)
    await price_list.store_changes(tx, (plan_id, 1), price_changes((), prices))
    fact = PlanCreated(
        plan_id=plan_id,
        plan_type=details.plan_type,
        billing_mode=details.billing_mode,
        currency=details.currency,
    )
    await outbox.emit(tx, [fact])
    plan = await get_plan(tx, plan_id)
    tx.changed(None, plan)
    return plan


async def get_plan(tx: Transaction, plan_id: UUID) -> Plan:
    """One plan. Raises not_found."""
    plan = await store.load(tx, plan_id)
    if plan is None:
        raise not_found("plan")
    return plan


async def lock_plan(tx: Transaction, plan_id: UUID) -> Plan:
    """One plan, which can't be edited or deleted until the transaction ends. Raises not_found."""
    plan = await store.load(tx, plan_id, RowLock.FREEZE)
    if plan is None:
        raise not_found("plan")
    return plan


async def standing_revision(tx: Transaction, plan_id: PlanId, at: datetime) -> int:
    """The number of a plan's revision that stands at an instant, the latest of those made by it."""
    return await store.standing_revision(tx, plan_id, at)


async def get_plans(tx: Transaction, plan_ids: Iterable[PlanId]) -> dict[PlanId, Plan]:
    """Plans by id, deleted ones included."""
    return await store.load_all(tx, list(plan_ids))


async def get_history(tx: Transaction, plan_id: UUID) -> PlanHistory:
    """One plan with all its revisions. Raises not_found."""
    plan = await get_plan(tx, plan_id)
    return (await store.load_histories(tx, [plan.id]))[plan.id]


async def get_histories(tx: Transaction, plan_ids: Iterable[PlanId]) -> dict[PlanId, PlanHistory]:
    """Plans by id with all their revisions, deleted ones included."""
    return await store.load_histories(tx, list(plan_ids))


async def list_plans(tx: Transaction, request: PageRequest) -> Page[Plan]:
    """Plans, newest first."""
    return await store.list_page(tx, request)


async def update_plan(tx: Transaction, plan_id: UUID, changes: PlanChanges) -> Plan:
    """Edit a plan; one whose prices or base fee change gets a new revision.

    Raises:
        DomainError: not_found; invalid; conflict, when terms that subscribers rely on would change.
    """
    plan = await _locked_plan(tx, plan_id)
    details = replace(plan.details, **changes.details)
    check_details(details)
    base_fee = base_fee_after(plan.base_fee, changes)
    check_base_fee(base_fee)
    if fixed_terms(details) != fixed_terms(plan.details):
        await registry.ask(tx, PlanTermsChange(plan.id))
    await store.update(tx, plan.id, details)
    facts: list[Fact] = []
    if changes.details:
        facts.append(PlanEdited(plan_id=plan.id, changed=tuple(sorted(changes.details))))
    prices = NO_PRICE_CHANGES
    if changes.prices is not None:
        await _check_metrics(tx, changes.prices)
        prices = price_changes(plan.prices, changes.prices)
    if prices != NO_PRICE_CHANGES or base_fee != plan.base_fee:
        revision = plan.revision + 1
        await store.insert_revision(
            tx, plan.id, revision, apply_to=changes.apply_to, base_fee=base_fee
        )
        added = await price_list.store_changes(tx, (plan.id, revision), prices)
        facts.append(
            PriceChanged(
                plan_id=plan.id,
                revision=revision,
                apply_to=changes.apply_to,
                added=added,
                revised=tuple(price.id for _, price, _ in prices.revised),
                removed=tuple(price.id for price in prices.removed),
                base_fee_changed=base_fee != plan.base_fee,
            )
        )
    await outbox.emit(tx, facts)
    changed = await get_plan(tx, plan.id)
    tx.changed(plan, changed)
    return changed


async def check_prices(tx: Transaction, plan: Plan, wanted: Sequence[PriceDraft]) -> None:
    """Refuse prices that an edit of the plan would refuse.

    Raises:
        DomainError: invalid; not_found, naming the metric's field.
    """
    await _check_metrics(tx, wanted)
    price_changes(plan.prices, wanted)


async def delete_plan(tx: Transaction, plan_id: UUID) -> None:
    """Hide a plan, unless something still depends on it.

    Raises:
        DomainError: not_found; conflict from a guard.
    """
    plan = await _locked_plan(tx, plan_id)
    await registry.ask(tx, PlanDeletion(plan.id))
    await store.hide(tx, plan.id)
    await outbox.emit(tx, [PlanDeleted(plan_id=plan.id)])
    tx.changed(plan, None)


async def _locked_plan(tx: Transaction, plan_id: UUID) -> Plan:
    plan = await store.load(tx, plan_id, RowLock.EXCLUSIVE)
    if plan is None:
        raise not_found("plan")
    return plan


async def _check_metrics(tx: Transaction, wanted: Sequence[PriceDraft]) -> None:
    """Lock the metrics that prices are to be put on; refuse unknown and unfit ones."""
    named = [draft.id for draft in wanted if draft.id is not None]
    await price_list.check_metrics(tx, wanted, await overrides.percentages_among(tx, named))
