"""Replays: rebuild buckets from the stored events under the present metrics.

A replay goes through the customers in steps. Each step is a transaction that also records the
progress, so that a replay that is resumed after a crash repeats and omits nothing. Folding waits
for a step, not for the replay; reads are exact at every moment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from monigo import catalog
from monigo.catalog import Metric, RuleMetricCreated
from monigo.core.errors import conflict, not_found
from monigo.core.ids import ReplayJobId
from monigo.core.paging import Page, PageRequest
from monigo.core.periods import Period
from monigo.infra import queue
from monigo.infra.db import Transaction
from monigo.infra.ids import new_id
from monigo.metering import rollup
from monigo.metering.replay import store
from monigo.metering.replay.rules import REPLAY_SPAN_MAX, check_replay
from monigo.metering.replay.store import Progress
from monigo.metering.replay.types import ReplayJob, ReplayRequest, ReplayStatus, ReplayStep
from monigo.metering.retention import events_kept_from
from monigo.metering.rollup import Selection
from monigo.metering.rules import AHEAD, whole_hours
from monigo.metering.types import REPLAY

# Who begins a replay that a metric's definition makes necessary.
BY_METRIC = "system:metric"
# Replays of a tenant wait for each other; nobody means to queue up more.
UNFINISHED_MAX = 100
# A few seconds of work, for which folding waits; smaller steps read the same pages more often.
STEP_EVENTS_MAX = 1_000_000
# Events that a step works out one by one, by a payout rule.
RULE_EVENTS_MAX = 50_000
# How many customers a step looks at: learnt from the last one, within these bounds.
STEP_CUSTOMERS_MIN = 50
STEP_CUSTOMERS_MAX = 10_000

_UNFINISHED = (ReplayStatus.PENDING, ReplayStatus.PROCESSING)


@dataclass(slots=True)
class StepSize:
    """How much a step takes on; the number of customers follows what they turn out to have."""

    events_max: int = STEP_EVENTS_MAX
    customers_max: int = STEP_CUSTOMERS_MIN

    def learn(self, taken: int, *, was_cut: bool) -> None:
        """Look at more customers next time if all fitted, else at hardly more than did."""
        wanted = taken + taken // 8 if was_cut else self.customers_max * 2
        self.customers_max = min(max(wanted, STEP_CUSTOMERS_MIN), STEP_CUSTOMERS_MAX)


async def start_replay(tx: Transaction, request: ReplayRequest, *, initiated_by: str) -> ReplayJob:
    """Enqueue a replay of a window.

    Raises:
        DomainError: invalid window; conflict, when it reaches back to events that are no longer
            whole, or when too many replays wait.
    """
    check_replay(request, tx.now)
    if request.start < await events_kept_from(tx):
        raise conflict("beyond_retention", "events from before the retention can't be replayed")
    if len(await queue.list_unfinished(tx, REPLAY)) >= UNFINISHED_MAX:
        raise conflict("too_many_replays", f"{UNFINISHED_MAX} replays are not finished yet")
    job = await _enqueue(tx, request, initiated_by=initiated_by, metric=None)
    tx.changed(None, job)
    return job


async def get_replay(tx: Transaction, job_id: UUID) -> ReplayJob:
    """One replay. Raises not_found."""
    job = await store.load(tx, job_id)
    if job is None:
        raise not_found("job")
    return job


async def list_replays(tx: Transaction, request: PageRequest) -> Page[ReplayJob]:
    """Replays, newest first."""
    return await store.list_page(tx, request)


async def running_replays(tx: Transaction) -> list[Period]:
    """The windows of replays that somebody asked for and that are not ended."""
    return await store.load_running(tx)


async def cancel_replay(tx: Transaction, job_id: UUID) -> ReplayJob:
    """Stop a replay after its current step; buckets rebuilt so far stay.

    Raises:
        DomainError: not_found; conflict, when it has ended, or serves a metric.
    """
    job = await store.load(tx, job_id, for_update=True)
    if job is None:
        raise not_found("job")
    if job.status not in _UNFINISHED:
        raise conflict("replay_ended", f"the replay is {job.status.value} already")
    if job.metric_id is not None:
        raise conflict("replay_needed", "a metric's new definition needs this replay")
    await queue.cancel(tx, REPLAY, job.id)
    canceled = await get_replay(tx, job.id)
    tx.changed(job, canceled)
    return canceled


async def define_metric(tx: Transaction, definition: catalog.MetricDefinition) -> Metric:
    """Define a metric and have the events that are stored already counted by it."""
    metric = await catalog.create_metric(tx, definition)
    await _rebuild(tx, metric)
    return metric


async def attribute_by_rules(tx: Transaction, facts: Sequence[RuleMetricCreated]) -> None:
    """Have events that are stored already paid by new payout rules, too."""
    known = await catalog.get_metrics(tx, [fact.metric_id for fact in facts])
    for fact in facts:
        await _rebuild(tx, known[fact.metric_id])


async def redefine_metric(tx: Transaction, metric_id: UUID, changes: Mapping[str, Any]) -> Metric:
    """Redefine a metric; start a replay if its events count differently now.

    Raises:
        DomainError: not_found; invalid.
    """
    before = await catalog.get_metric(tx, metric_id)
    metric = await catalog.update_metric(tx, metric_id, changes)
    if metric.version != before.version:
        await _rebuild(tx, metric)
    return metric


async def begin_replay(tx: Transaction, job_id: ReplayJobId) -> ReplayJob | None:
    """Take on a replay, or go on with one; None when there is nothing left to do.

    Raises:
        DomainError: conflict, while another replay of the tenant is under way.
    """
    job = await store.load(tx, job_id, for_update=True)
    if job is None or job.status not in _UNFINISHED:
        return None
    job = await store.begin(tx, job.id)
    count = await rollup.count_selected(tx, _selection(job))
    await store.set_total(tx, job.id, count)
    return job


async def replay_some(tx: Transaction, job_id: ReplayJobId, size: StepSize) -> ReplayStep | None:
    """The next step of a replay that is under way; None when it was canceled.

    A step that finds no customers left is the last.
    """
    job = await store.load(tx, job_id, for_update=True)
    if job is None or job.status is not ReplayStatus.PROCESSING:
        return None
    metric = await _metric_of(tx, job)
    if job.metric_id is not None and metric is None:
        await queue.cancel(tx, REPLAY, job.id)
        return None
    is_of_rule = metric is not None and metric.definition.is_rule
    selection = _selection(job)
    progress = await store.load_progress(tx, job.id)
    await rollup.set_up_rebuild(tx)
    share = await rollup.next_share(
        tx,
        selection,
        after=progress.customer_id,
        from_hour=progress.next_hour,
        customers_max=size.customers_max,
        events_max=min(size.events_max, RULE_EVENTS_MAX) if is_of_rule else size.events_max,
    )
    if not share.customer_ids:
        await _let_read_from_buckets(tx, job)
        return ReplayStep(is_last=True)
    if job.request.dry_run:
        step = ReplayStep(False, await rollup.compare(tx, selection, share))
    else:
        await rollup.lock_folding(tx)
        if metric is not None and is_of_rule:
            await rollup.attribute_share(tx, metric.id, share)
        await rollup.rebuild(tx, selection, share)
        step = ReplayStep(False)
    done = progress.customer_id if share.next_hour else share.customer_ids[-1]
    await store.advance(tx, job.id, Progress(done, share.next_hour), share.event_count)
    if progress.next_hour is None:
        size.learn(len(share.customer_ids), was_cut=len(share.customer_ids) < size.customers_max)
    return step


def replayed_hours(job: ReplayJob) -> Period:
    """The whole hours that a replay rebuilds."""
    return whole_hours(job.request.start, job.request.end)


async def _enqueue(
    tx: Transaction, request: ReplayRequest, *, initiated_by: str, metric: Metric | None
) -> ReplayJob:
    job = await store.insert(
        tx, ReplayJobId(new_id()), request, initiated_by=initiated_by, metric=metric
    )
    await queue.start(tx, REPLAY, job.id)
    return job


async def _rebuild(tx: Transaction, metric: Metric) -> None:
    """Have a metric's buckets made; until they are whole, its usage is read from events."""
    start = max(tx.now - REPLAY_SPAN_MAX + AHEAD, await events_kept_from(tx))
    request = ReplayRequest(start, tx.now + AHEAD, metric.definition.event_name, dry_run=False)
    if await _was_never_used(tx):
        hour = whole_hours(request.start, request.end).start
        await store.set_rollups_from(tx, metric_id=metric.id, version=metric.version, hour=hour)
        return
    await _enqueue(tx, request, initiated_by=BY_METRIC, metric=metric)


async def _was_never_used(tx: Transaction) -> bool:
    """Whether the tenant has no event, so that folding will count every one by today's metrics."""
    if await rollup.has_events(tx):
        return False
    # A fold that did not see the metric yet has ended when we look again, and none begins before
    # the metric is there for it to see.
    await rollup.lock_folding(tx)
    return not await rollup.has_events(tx)


def _selection(job: ReplayJob) -> Selection:
    return Selection(replayed_hours(job), job.request.event_name, job.metric_id)


async def _metric_of(tx: Transaction, job: ReplayJob) -> Metric | None:
    """The metric that a replay is for; None where its definition was replaced, or it is deleted.

    A payout rule that has ended stays: it pays for what happened before.
    """
    if job.metric_id is None:
        return None
    metric = (await catalog.get_metrics(tx, [job.metric_id])).get(job.metric_id)
    if metric is None or metric.version != job.metric_version:
        return None
    is_there = metric.definition.is_rule or await catalog.find_metric(tx, metric.id) is not None
    return metric if is_there else None


async def _let_read_from_buckets(tx: Transaction, job: ReplayJob) -> None:
    if job.metric_id is not None and job.metric_version is not None:
        hour = replayed_hours(job).start
        await store.set_rollups_from(
            tx, metric_id=job.metric_id, version=job.metric_version, hour=hour
        )
