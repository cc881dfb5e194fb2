"""The due work of payout accounts: to ask providers in whose name they are."""

import asyncio

from monigo.core.ids import PayoutAccountId
from monigo.infra.agenda import Claim, Steps, Task
from monigo.infra.db import Database
from monigo.payments.payout_accounts.resolving import Desk, ask_name, record_name
from monigo.payments.payout_accounts.service import RESOLVE

# Each waits for a provider most of the time.
AT_ONCE = 4


def resolve_task(desk: Desk) -> Task:
    """Due work that asks in whose name new and changed accounts are."""

    async def work(database: Database, claim: Claim, stop: asyncio.Event) -> None:
        del stop
        asked = await ask_name(desk, database, claim.tenant, PayoutAccountId(claim.subject))
        async with database.transaction(claim.tenant) as tx:
            if asked is not None:
                await record_name(tx, asked)
            # What is to be asked again was put on the agenda as it was recorded.
            await claim.finish(tx)

    return Task(RESOLVE, Steps(work), concurrency=AT_ONCE)
