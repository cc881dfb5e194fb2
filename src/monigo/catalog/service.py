"""Use cases of metrics, plans and prices."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from monigo.catalog import metric_store, override_store, store
from monigo.catalog.events import (
    MetricCreated,
    MetricDeleted,
    MetricEdited,
    PlanCreated,
    PlanDeleted,
    PlanEdited,
    PriceChanged,
)
from monigo.catalog.rules import (
    NO_PRICE_CHANGES,
    PERCENTAGE_OF,
    PriceChanges,
    base_fee_after,
    check_base_fee,
    check_definition,
    check_details,
    counts_otherwise,
    fixed_terms,
    percentage_faults,
    price_changes,
)
from monigo.catalog.types import (
    NO_BASE_FEE,
    ApplyTo,
    BaseFee,
    Metric,
    MetricDefinition,
    MetricDeletion,
    Plan,
    PlanChanges,
    PlanDeletion,
    PlanDetails,
    PlanHistory,
    PlanTermsChange,
    PriceDraft,
)
from monigo.core.errors import DomainError, ErrorKind, conflict, invalid, not_found
from monigo.core.ids import MetricId, PlanId, PriceId
from monigo.core.paging import Page, PageRequest
from monigo.infra import outbox, registry
from monigo.infra.db import RowLock, Transaction
from monigo.infra.facts import Fact
from monigo.infra.ids import new_id


async def create_metric(tx: Transaction, definition: MetricDefinition) -> Metric:
    """Define a metric. Events that were stored before count, too."""
    check_definition(definition)
    metric = await metric_store.insert_metric(tx, MetricId(new_id()), definition)
    fact = MetricCreated(metric_id=metric.id, event_name=definition.event_name)
    await outbox.emit(tx, [fact])
    return metric


async def find_metric(tx: Transaction, metric_id: UUID) -> Metric | None:
    """One metric, or None where it is unknown or deleted."""
    return (await metric_store.load_metrics(tx, [metric_id])).get(MetricId(metric_id))


async def get_metric(tx: Transaction, metric_id: UUID) -> Metric:
    """One metric. Raises not_found."""
    metric = await find_metric(tx, metric_id)
    if metric is None:
        raise not_found("metric")
    return metric


async def get_metrics(tx: Transaction, metric_ids: Iterable[MetricId]) -> dict[MetricId, Metric]:
    """Metrics by id, deleted ones included, for pricing what was agreed on them."""
    return await metric_store.load_metrics(tx, list(metric_ids), with_deleted=True)


async def list_metrics(tx: Transaction, request: PageRequest) -> Page[Metric]:
    """Metrics, newest first."""
    return await metric_store.list_metrics(tx, request)


async def update_metric(tx: Transaction, metric_id: UUID, changes: Mapping[str, Any]) -> Metric:
    """Redefine a metric; running periods are measured anew by it.

    Raises:
        DomainError: not_found; invalid, also where a percentage needs the aggregation to stay.
    """
    metric = await _locked_metric(tx, metric_id)
    definition = replace(metric.definition, **changes)
    check_definition(definition)
    if definition.aggregation is not PERCENTAGE_OF:
        plan_name = await metric_store.plan_with_percentage(tx, metric.id)
        if plan_name is not None:
            message = f"must stay sum: the plan {plan_name!r} takes a percentage of it"
            raise invalid({"aggregation": message})
    counts_anew = counts_otherwise(metric.definition, definition)
    fact = MetricEdited(
        metric_id=metric.id, event_name=definition.event_name, counts_anew=counts_anew
    )
    await outbox.emit(tx, [fact])
    return await metric_store.update_metric(tx, metric.id, definition, counts_anew=counts_anew)


async def delete_metric(tx: Transaction, metric_id: UUID) -> None:
    """Hide a metric, unless something still depends on it.

    Raises:
        DomainError: not_found; conflict from a guard.
    """
    metric = await _locked_metric(tx, metric_id)
    await registry.ask(tx, MetricDeletion(metric.id))
    await metric_store.hide_metric(tx, metric.id)
    await outbox.emit(tx, [MetricDeleted(metric_id=metric.id)])


async def refuse_metric_with_price(tx: Transaction, asked: MetricDeletion) -> None:
    """Raise conflict, naming the plan, while a live plan has a price on a metric."""
    plan_name = await metric_store.plan_using_metric(tx, asked.metric_id)
    if plan_name is not None:
        raise conflict("metric_in_use", f"the plan {plan_name!r} has a price on this metric")


async def get_metric_versions(
    tx: Transaction, wanted: Iterable[tuple[MetricId, int]]
) -> dict[tuple[MetricId, int], Metric]:
    """Metrics as they counted under these versions, deleted ones included."""
    return await metric_store.load_versions(tx, list(wanted))


async def metric_versions_at(
    tx: Transaction, metric_ids: Iterable[MetricId], instant: datetime
) -> dict[MetricId, Metric]:
    """Metrics as they counted at an instant, deleted ones included.

    A metric that is younger than the instant counts as it first did: it counts events that were
    stored before it.
    """
    return await metric_store.load_versions_at(tx, list(metric_ids), instant)


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
    await store.insert_plan(tx, plan_id, details)
    await store.insert_plan_revision(tx, plan_id, 1, apply_to=ApplyTo.ALL, base_fee=base_fee)
    await _store_prices(tx, (plan_id, 1), price_changes((), prices))
    fact = PlanCreated(
        plan_id=plan_id,
        plan_type=details.plan_type,
        billing_mode=details.billing_mode,
        currency=details.currency,
    )
    await outbox.emit(tx, [fact])
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


async def standing_revision(tx: Transaction, plan_id: PlanId, at: datetime) -> int:
    """The number of a plan's revision that stands at an instant, the latest of those made by it."""
    return await store.standing_revision(tx, plan_id, at)


async def get_plans(tx: Transaction, plan_ids: Iterable[PlanId]) -> dict[PlanId, Plan]:
    """Plans by id, deleted ones included."""
    return await store.load_plans(tx, list(plan_ids))


async def get_history(tx: Transaction, plan_id: UUID) -> PlanHistory:
    """One plan with all its revisions. Raises not_found."""
    plan = await get_plan(tx, plan_id)
    return (await store.load_histories(tx, [plan.id]))[plan.id]


async def get_histories(tx: Transaction, plan_ids: Iterable[PlanId]) -> dict[PlanId, PlanHistory]:
    """Plans by id with all their revisions, deleted ones included."""
    return await store.load_histories(tx, list(plan_ids))


async def list_plans(tx: Transaction, request: PageRequest) -> Page[Plan]:
    """Plans, newest first."""
    return await store.list_plans(tx, request)


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
    await store.update_plan(tx, plan.id, details)
    facts: list[Fact] = []
    if changes.details:
        facts.append(PlanEdited(plan_id=plan.id, changed=tuple(sorted(changes.details))))
    prices = NO_PRICE_CHANGES
    if changes.prices is not None:
        await _check_metrics(tx, changes.prices)
        prices = price_changes(plan.prices, changes.prices)
    if prices != NO_PRICE_CHANGES or base_fee != plan.base_fee:
        revision = plan.revision + 1
        await store.insert_plan_revision(
            tx, plan.id, revision, apply_to=changes.apply_to, base_fee=base_fee
        )
        added = await _store_prices(tx, (plan.id, revision), prices)
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
    return await get_plan(tx, plan.id)


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
    await store.hide_plan(tx, plan.id)
    await outbox.emit(tx, [PlanDeleted(plan_id=plan.id)])


async def _locked_metric(tx: Transaction, metric_id: UUID) -> Metric:
    metric = await metric_store.lock_metric(tx, metric_id)
    if metric is None:
        raise not_found("metric")
    return metric


async def _locked_plan(tx: Transaction, plan_id: UUID) -> Plan:
    plan = await store.load_plan(tx, plan_id, RowLock.EXCLUSIVE)
    if plan is None:
        raise not_found("plan")
    return plan


async def _check_metrics(tx: Transaction, wanted: Sequence[PriceDraft]) -> None:
    """Hold the metrics that prices are to be put on; refuse unknown and unfit ones."""
    metrics = await metric_store.hold_metrics(tx, [draft.terms.metric_id for draft in wanted])
    unknown = {
        f"prices[{position}].metric_id": "metric not found"
        for position, draft in enumerate(wanted)
        if draft.terms.metric_id not in metrics
    }
    if unknown:
        raise DomainError(
            ErrorKind.NOT_FOUND, "metric_not_found", "metric not found", fields=unknown
        )
    named = [draft.id for draft in wanted if draft.id is not None]
    overridden = await override_store.prices_with_percentage(tx, named)
    faults = percentage_faults(wanted, metrics, overridden)
    if faults:
        raise invalid(faults)


async def _store_prices(
    tx: Transaction, plan: tuple[PlanId, int], changes: PriceChanges
) -> tuple[PriceId, ...]:
    """Add what a revision of a plan does to its prices; the ids of the new ones."""
    added = tuple(PriceId(new_id()) for _ in changes.added)
    for price_id, (position, draft) in zip(added, changes.added, strict=True):
        await store.insert_price(tx, price_id, plan[0])
        await store.insert_price_revision(
            tx, price_id, draft.terms, revision=1, plan=plan, position=position, removed=False
        )
    for position, price, draft in changes.revised:
        await store.insert_price_revision(
            tx,
            price.id,
            draft.terms,
            revision=price.revision + 1,
            plan=plan,
            position=position,
            removed=False,
        )
    for price in changes.removed:
        await store.insert_price_revision(
            tx,
            price.id,
            price.terms,
            revision=price.revision + 1,
            plan=plan,
            position=0,
            removed=True,
        )
    return added
