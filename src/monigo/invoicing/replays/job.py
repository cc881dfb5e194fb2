"""Works off replays: step by step through the customers, then the drafts that read from them."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from monigo import catalog, metering, subscriptions
from monigo.catalog import PlanType
from monigo.core.errors import DomainError
from monigo.core.ids import InvoiceId, ReplayJobId
from monigo.core.money import format_decimal, format_money
from monigo.core.periods import Period
from monigo.infra import queue
from monigo.infra.db import Database, Tenant, Transaction
from monigo.infra.logging import logger
from monigo.infra.queue import LongJob, TryLaterError
from monigo.invoicing.documents import list_drafts
from monigo.invoicing.replays.price_changes import price_changes
from monigo.invoicing.service import recheck, refresh_draft
from monigo.invoicing.types import PriceChange
from monigo.metering import ReplayJob, StepSize, UsageChange

log = logger(__name__)

# Drafts that are looked up at once; each is refreshed in a transaction of its own.
DRAFTS_A_PAGE = 100
# A report is read by people and their spreadsheets; the totals cover what lies beyond.
REPORT_ROWS_MAX = 10_000
# One that works while another waits for the database.
REPLAYS_AT_ONCE = 2


async def run_replay(
    database: Database,
    tenant: Tenant,
    job_id: UUID,
    stop: asyncio.Event,
    *,
    size: StepSize | None = None,
) -> None:
    """Take a replay to its end.

    Raises:
        DomainError: conflict, while another replay of the tenant is under way.
        TryLaterError: the worker stops. What was done stays done.
    """
    async with database.transaction(tenant) as tx:
        job = await metering.begin_replay(tx, ReplayJobId(job_id))
    if job is not None:
        await _work(database, tenant, job, stop, size or StepSize())


def replay_job(size: StepSize | None = None) -> LongJob:
    """How replays are run; `size` is how much a step takes on at first."""
    return LongJob(
        metering.REPLAY,
        partial(run_replay, size=size),
        concurrency=REPLAYS_AT_ONCE,
        waits_for={metering.REPLAY_RUNNING},
    )


async def _work(
    database: Database, tenant: Tenant, job: ReplayJob, stop: asyncio.Event, size: StepSize
) -> None:
    report = _Report()
    while True:
        if stop.is_set():
            raise TryLaterError(0)
        async with database.transaction(tenant) as tx:
            step = await metering.replay_some(tx, job.id, size)
            if step is None:
                return  # Canceled meanwhile.
            if step.changes:
                hours = metering.replayed_hours(job)
                report.add(step.changes, await price_changes(tx, step.changes, hours))
        if step.is_last:
            break
    if not job.request.dry_run:
        await _refresh_drafts(database, tenant, job)
    async with database.transaction(tenant) as tx:
        result = report.as_json() if job.request.dry_run else None
        await queue.complete(tx, metering.REPLAY, job.id, result)
        if not job.request.dry_run:
            await _recheck(tx, job)


async def _recheck(tx: Transaction, job: ReplayJob) -> None:
    """Have closed periods looked at again in which the replay may have changed something.

    A metric's own replay is for running periods; closed ones keep the metrics they froze. A payout
    rule pays closed ones, too, by what only its replay finds.
    """
    if job.metric_id is None:
        await recheck(tx, metering.replayed_hours(job), job.request.event_name)
        return
    for metric in (await catalog.get_metrics(tx, [job.metric_id])).values():
        if metric.definition.is_rule:
            since = Period(metric.created_at, metering.replayed_hours(job).end)
            await subscriptions.recheck(tx, since, PlanType.PAYOUT)


async def _refresh_drafts(database: Database, tenant: Tenant, job: ReplayJob) -> None:
    after: InvoiceId | None = None
    while True:
        async with database.transaction(tenant) as tx:
            drafts = await list_drafts(
                tx, metering.replayed_hours(job), after=after, limit=DRAFTS_A_PAGE
            )
        for draft_id in drafts:
            try:
                async with database.transaction(tenant) as tx:
                    await refresh_draft(tx, draft_id)
            except DomainError as error:
                # Deleted meanwhile, or more than an invoice can hold: no matter of the others.
                log.warning("draft not refreshed", invoice_id=str(draft_id), reason=error.message)
        if len(drafts) < DRAFTS_A_PAGE:
            return
        after = drafts[-1]


class _Report:
    """What a dry run found: the rows that differ, and totals over all of them."""

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []
        self._changed = 0
        self._differences: dict[str, Decimal] = {}

    def add(self, changes: Sequence[UsageChange], prices: Sequence[Sequence[PriceChange]]) -> None:
        """Take in one step's findings."""
        for change, priced in zip(changes, prices, strict=True):
            for price in priced:
                total = self._differences.get(price.currency, Decimal(0))
                self._differences[price.currency] = total + price.after - price.before
            self._changed += 1
            if len(self._rows) < REPORT_ROWS_MAX:
                self._rows.append(_row(change, priced))

    def as_json(self) -> dict[str, Any]:
        """The report as it is stored and sent."""
        return {
            "changed": self._changed,
            "truncated": self._changed > len(self._rows),
            "differences": {
                currency: format_money(amount) for currency, amount in self._differences.items()
            },
            "rows": self._rows,
        }


def _row(change: UsageChange, priced: Sequence[PriceChange]) -> dict[str, Any]:
    return {
        "customer_id": str(change.customer_id),
        "metric_id": str(change.metric.id),
        "usage_before": format_decimal(change.before),
        "usage_after": format_decimal(change.after),
        "amounts": [
            {
                "subscription_id": str(price.subscription_id),
                "price_id": str(price.price_id),
                "currency": price.currency,
                "before": format_money(price.before),
                "after": format_money(price.after),
                "difference": format_money(price.after - price.before),
            }
            for price in priced
        ],
    }
