"""Due work: once a day it is looked whose usage fell, a share of the customers at a time.

About to churn: the last seven days are below half of the weekly mean of the 28 before, that mean
being ten events or more.
"""

import asyncio
from datetime import datetime, timedelta

from monigo import metering
from monigo.core.ids import CustomerId
from monigo.infra.agenda import Claim, Steps, Task
from monigo.infra.db import Database, Tenant
from monigo.reports.dashboard import declines_store

RECENT = timedelta(days=7)
BEFORE = timedelta(days=28)
# Fewer are chance.
USUAL_EVENTS_MIN = 10
# About 70,000 days of buckets, with two metrics.
CUSTOMERS_A_STEP = 1_000


async def find_declines(database: Database, tenant: Tenant) -> None:
    """Note whose usage fell, and forget whose did not after all."""
    after: CustomerId | None = None
    began_at: datetime | None = None
    while True:
        async with database.transaction(tenant) as tx:
            began_at = began_at or tx.real_now
            customer_ids = await declines_store.customers_after(tx, after, CUSTOMERS_A_STEP)
            if not customer_ids:
                await declines_store.forget_before(tx, began_at)
                return
            # Whole days, UTC, which is what buckets hold.
            until = tx.now.replace(hour=0, minute=0, second=0, microsecond=0)
            await declines_store.note_declines(
                tx,
                customer_ids,
                since=until - RECENT - BEFORE,
                recent=until - RECENT,
                until=until,
                noted_at=began_at,
                least=USUAL_EVENTS_MIN,
            )
            after = customer_ids[-1]


async def _look(database: Database, claim: Claim, stop: asyncio.Event) -> None:
    del stop  # Another look begins anew.
    await find_declines(database, claim.tenant)
    async with database.transaction(claim.tenant) as tx:
        # A customer without events today may have had some before.
        if await declines_store.has_events(tx, tx.now - RECENT - BEFORE):
            await metering.note_usage_of_day(tx)
        await claim.finish(tx)


LOOK_FOR_DECLINES = Task(metering.USAGE_OF_DAY, Steps(_look))
