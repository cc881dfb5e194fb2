"""The due work of digests: at 08:00 UTC, on Mondays and on the 1st, where anything was used."""

import asyncio
from functools import partial

from monigo import metering
from monigo.infra import agenda
from monigo.infra.agenda import Claim, Follows, Kind, Steps, Task
from monigo.infra.db import Database
from monigo.reports.digests.rules import day_of, due_at, period_of, subject_of
from monigo.reports.digests.service import report_some
from monigo.reports.digests.types import Span

# Of a period: what was used in it is reported. A day's is noted as usage is folded.
KINDS = {
    Span.DAILY: metering.DIGEST_OF_DAY,
    Span.WEEKLY: Kind("usage_digest_of_week", Follows.TENANT),
    Span.MONTHLY: Kind("usage_digest_of_month", Follows.TENANT),
}


async def _report(database: Database, claim: Claim, stop: asyncio.Event, *, span: Span) -> None:
    """Report a period's usage; a day's has the week and month that it lies in reported, too."""
    day = day_of(claim.subject)
    period = period_of(span, day)
    while not stop.is_set():
        async with database.transaction(claim.tenant) as tx:
            if await report_some(tx, span, period):
                continue
            if span is Span.DAILY:
                for wider in (Span.WEEKLY, Span.MONTHLY):
                    around = period_of(wider, day)
                    subject = subject_of(around)
                    await agenda.put_unless_there(tx, KINDS[wider], subject, due_at(around))
            await claim.finish(tx)
            return


REPORT_USAGE: tuple[Task, ...] = tuple(
    Task(kind, Steps(partial(_report, span=span)), every_seconds=5) for span, kind in KINDS.items()
)
