"""Use cases of metrics, plans and prices."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from monigo.catalog import store
from monigo.catalog.rules import (
    check_definition,
    check_details,
    counts_otherwise,
    fixed_terms,
    price_changes,
)
from monigo.catalog.types import Metric, MetricDefinition, Plan, PlanDetails, Price, PriceDraft
from monigo.core.errors import DomainError, ErrorKind, conflict, not_found
from monigo.core.ids import MetricId, PlanId, PriceId
from monigo.core.paging import Page, PageRequest
from monigo.infra.database import RowLock, Transaction
from monigo.infra.ids import new_id

# Raises a conflict that names what still depends on the plan.
PlanGuard = Callable[[Transaction, PlanId], Awaitable[None]]


async def create_metric(tx: Transaction, definition: MetricDefinition) -> Metric:
    """Define a metric. Events that were stored before count, too."""
    check_definition(definition)
    return await store.insert_metric(tx, MetricId(new_id()), definition)


async def find_metric(tx: Transaction, metric_id: UUID) -> Metric | None:
    """One metric, or None where it is unknown or deleted."""
    return (await store.load_metrics(tx, [metric_id])).get(MetricId(metric_id))


async def get_metric(tx: Transaction, metric_id: UUID) -> Metric:
    """One metric. Raises not_found."""
    metric = await find_metric(tx, metric_id)
    if metric is None:
        raise not_found("metric")
    return metric


async def get_metrics(tx: Transaction, metric_ids: Iterable[MetricId]) -> dict[MetricId, Metric]:
    """Metrics by id, deleted ones included, for pricing what was agreed on them."""
    return await store.load_metrics(tx, list(metric_ids), with_deleted=True)


async def list_metrics(tx: Transaction, request: PageRequest) -> Page[Metric]:
    """Metrics, newest first."""
    return await store.list_metrics(tx, request)


async def update_metric(tx: Transaction, metric_id: UUID, changes: Mapping[str, Any]) -> Metric:
    """Redefine a metric; running periods are measured anew by it.

    Raises:
        DomainError: not_found; invalid.
    """
    metric = await _locked_metric(tx, metric_id)
    definition = replace(metric.definition, **changes)
    check_definition(definition)
    counts_anew = counts_otherwise(metric.definition, definition)
    return await store.update_metric(tx, metric.id, definition, counts_anew=counts_anew)


async def delete_metric(tx: Transaction, metric_id: UUID) -> None:
    """Hide a metric, unless a live plan prices it.

    Raises:
        DomainError: not_found; conflict, naming the plan.
    """
    metric = await _locked_metric(tx, metric_id)
    plan_name = await store.plan_using_metric(tx, metric.id)
    if plan_name is not None:
        raise conflict("metric_in_use", f"the plan {plan_name!r} has a price on this metric")
    await store.hide_metric(tx, metric.id)


async def create_plan(tx: Transaction, details: PlanDetails, prices: Sequence[PriceDraft]) -> Plan:
    """Offer a plan with its prices.

    Raises:
        DomainError: invalid; not_found, naming the metric's field.
    """
    check_details(details)
    plan_id = PlanId(new_id())
    await store.insert_plan(tx, plan_id, details)
    await _apply_prices(tx, plan_id, (), prices)
    return await get_plan(tx, plan_id)


async def get_plan(tx: Transaction, plan_id: UUID) -> Plan:
    """One plan. Raises not_found."""
    plan = await store.load_plan(tx, plan_id)
    if plan is None:
        raise not_found("plan")
    return plan


async def hold_plan(tx: Transaction, plan_id: UUID) -> Plan:
    """One plan, which can't be edited or deleted until the transaction ends. Raises not_found."""
    plan = await store.load_plan(tx, plan_id, RowLock.FREEZE)
    if plan is None:
        raise not_found("plan")
    return plan


async def get_plans(tx: Transaction, plan_ids: Iterable[PlanId]) -> dict[PlanId, Plan]:
    """Plans by id, deleted ones included."""
    return await store.load_plans(tx, list(plan_ids))


async def list_plans(tx: Transaction, request: PageRequest) -> Page[Plan]:
    """Plans, newest first."""
    return await store.list_plans(tx, request)


async def update_plan(
    tx: Transaction,
    plan_id: UUID,
    changes: Mapping[str, Any],
    prices: Sequence[PriceDraft] | None,
    refuse_if_subscribed: PlanGuard,
) -> Plan:
    """Edit a plan. `prices` None leaves them; else it is the whole new list.

    Raises:
        DomainError: not_found; invalid; conflict, when terms that subscribers rely on would change.
    """
    plan = await _locked_plan(tx, plan_id)
    details = replace(plan.details, **changes)
    check_details(details)
    if fixed_terms(details) != fixed_terms(plan.details):
        await refuse_if_subscribed(tx, plan.id)
    await store.update_plan(tx, plan.id, details)
    if prices is not None:
        await _apply_prices(tx, plan.id, plan.prices, prices)
    return await get_plan(tx, plan.id)


async def delete_plan(tx: Transaction, plan_id: UUID, guards: Sequence[PlanGuard]) -> None:
    """Hide a plan, unless something still depends on it.

    Raises:
        DomainError: not_found; conflict from a guard.
    """
    plan = await _locked_plan(tx, plan_id)
    for guard in guards:
        await guard(tx, plan.id)
    await store.hide_plan(tx, plan.id)


async def _locked_metric(tx: Transaction, metric_id: UUID) -> Metric:
    metric = await store.lock_metric(tx, metric_id)
    if metric is None:
        raise not_found("metric")
    return metric


async def _locked_plan(tx: Transaction, plan_id: UUID) -> Plan:
    plan = await store.load_plan(tx, plan_id, RowLock.EXCLUSIVE)
    if plan is None:
        raise not_found("plan")
    return plan


async def _apply_prices(
    tx: Transaction, plan_id: PlanId, present: Sequence[Price], wanted: Sequence[PriceDraft]
) -> None:
    known = await store.hold_metrics(tx, [draft.terms.metric_id for draft in wanted])
    unknown = {
        f"prices[{position}].metric_id": "metric not found"
        for position, draft in enumerate(wanted)
        if draft.terms.metric_id not in known
    }
    if unknown:
        raise DomainError(
            ErrorKind.NOT_FOUND, "metric_not_found", "metric not found", fields=unknown
        )
    changes = price_changes(present, wanted)
    for position, draft in changes.added:
        price_id = PriceId(new_id())
        await store.insert_price(tx, price_id, plan_id)
        await store.insert_revision(
            tx, price_id, draft.terms, revision=1, position=position, removed=False
        )
    for position, price, draft in changes.revised:
        await store.insert_revision(
            tx,
            price.id,
            draft.terms,
            revision=price.revision + 1,
            position=position,
            removed=False,
        )
    for price in changes.removed:
        await store.insert_revision(
            tx, price.id, price.terms, revision=price.revision + 1, position=0, removed=True
        )
