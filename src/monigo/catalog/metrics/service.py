"""Use cases of metrics."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from monigo.catalog.metrics import store
from monigo.catalog.metrics.events import (
    MetricCreated,
    MetricDeleted,
    MetricEdited,
    RuleMetricCreated,
)
from monigo.catalog.metrics.rules import PERCENTAGE_OF, check_definition, counts_otherwise
from monigo.catalog.metrics.types import Metric, MetricDefinition, MetricDeletion, MetricUnsumming
from monigo.core.errors import conflict, not_found
from monigo.core.ids import MetricId
from monigo.core.paging import Page, PageRequest
from monigo.infra import outbox, registry
from monigo.infra.db import Transaction
from monigo.infra.ids import new_id


async def create_metric(tx: Transaction, definition: MetricDefinition) -> Metric:
    """Define a metric. Events that were stored before count, too."""
    check_definition(definition)
    metric = await store.insert(tx, MetricId(new_id()), definition)
    fact = MetricCreated(metric_id=metric.id, event_name=definition.event_name)
    await outbox.emit(tx, [fact])
    tx.changed(None, metric)
    return metric


async def create_rule_metric(tx: Transaction, definition: MetricDefinition) -> Metric:
    """Define a payout rule's metric, which was checked. It never changes."""
    metric = await store.insert(tx, MetricId(new_id()), definition)
    fact = RuleMetricCreated(metric_id=metric.id, event_name=definition.event_name)
    await outbox.emit(tx, [fact])
    return metric


async def count_rules(tx: Transaction) -> int:
    """How many payout rules' metrics still look at events."""
    return await store.count_rules(tx)


async def hide_rule_metrics(tx: Transaction, metric_ids: Sequence[MetricId]) -> None:
    """Have payout rules' metrics look at no event from now on but at what happened before."""
    await store.hide_rules(tx, metric_ids)


async def find_metric(tx: Transaction, metric_id: UUID) -> Metric | None:
    """One metric, or None where it is unknown or deleted."""
    return (await store.load(tx, [metric_id])).get(MetricId(metric_id))


async def get_metric(tx: Transaction, metric_id: UUID) -> Metric:
    """One metric. Raises not_found."""
    metric = await find_metric(tx, metric_id)
    if metric is None:
        raise not_found("metric")
    return metric


async def get_metrics(tx: Transaction, metric_ids: Iterable[MetricId]) -> dict[MetricId, Metric]:
    """Metrics by id, deleted ones included, for pricing what was agreed on them."""
    return await store.load(tx, list(metric_ids), with_deleted=True)


async def list_metrics(tx: Transaction, request: PageRequest) -> Page[Metric]:
    """Metrics, newest first."""
    return await store.list_page(tx, request)


async def update_metric(tx: Transaction, metric_id: UUID, changes: Mapping[str, Any]) -> Metric:
    """Redefine a metric; running periods are measured by the new definition.

    Raises:
        DomainError: not_found; invalid, also where a percentage needs the aggregation to stay;
            conflict, where it is a payout rule's.
    """
    metric = await _locked_metric(tx, metric_id)
    _refuse_rule(metric)
    definition = replace(metric.definition, **changes)
    check_definition(definition)
    if definition.aggregation is not PERCENTAGE_OF:
        await registry.ask(tx, MetricUnsumming(metric.id))
    is_recounted = counts_otherwise(metric.definition, definition)
    fact = MetricEdited(
        metric_id=metric.id, event_name=definition.event_name, is_recounted=is_recounted
    )
    await outbox.emit(tx, [fact])
    changed = await store.update(tx, metric.id, definition, is_recounted=is_recounted)
    tx.changed(metric, changed)
    return changed


async def delete_metric(tx: Transaction, metric_id: UUID) -> None:
    """Hide a metric, unless something still depends on it.

    Raises:
        DomainError: not_found; conflict from a guard, or where it is a payout rule's.
    """
    metric = await _locked_metric(tx, metric_id)
    _refuse_rule(metric)
    await registry.ask(tx, MetricDeletion(metric.id))
    await store.hide(tx, metric.id)
    await outbox.emit(tx, [MetricDeleted(metric_id=metric.id)])
    tx.changed(metric, None)


async def get_metric_versions(
    tx: Transaction, wanted: Iterable[tuple[MetricId, int]]
) -> dict[tuple[MetricId, int], Metric]:
    """Metrics as they counted under these versions, deleted ones included."""
    return await store.load_versions(tx, list(wanted))


async def metric_versions_at(
    tx: Transaction, metric_ids: Iterable[MetricId], instant: datetime
) -> dict[MetricId, Metric]:
    """Metrics as they counted at an instant, deleted ones included.

    A metric that is younger than the instant counts as it first did: it counts events that were
    stored before it.
    """
    return await store.load_versions_at(tx, list(metric_ids), instant)


def _refuse_rule(metric: Metric) -> None:
    if metric.definition.is_rule:
        message = "it belongs to a payout rule: edit the rule on its plan"
        raise conflict("metric_of_payout_rule", message)


async def _locked_metric(tx: Transaction, metric_id: UUID) -> Metric:
    metric = await store.lock(tx, metric_id)
    if metric is None:
        raise not_found("metric")
    return metric


async def lock_metrics(tx: Transaction, metric_ids: Sequence[MetricId]) -> dict[MetricId, Metric]:
    """Living metrics by id, which can't be edited or deleted until the transaction ends."""
    return await store.lock_shared(tx, metric_ids)
