"""The due work of refunds: to send them, and to ask about what is not final."""

import asyncio

from monigo.core.ids import RefundId
from monigo.infra.agenda import PUT_OFF, Claim, Steps, Task, Turns
from monigo.infra.db import Database
from monigo.payments.charges import Desk
from monigo.payments.refunds import service
from monigo.payments.refunds.calling import submit_refund
from monigo.payments.refunds.service import ASK
from monigo.providers.registry import PROVIDERS

# Under way at once of one provider; each has as many, so that one that hangs leaves the others
# theirs.
OF_PROVIDER = 4


def ask_task(desk: Desk) -> Task:
    """Due work that sends refunds nobody waits for, and asks about those that are not final."""
    turns = Turns(OF_PROVIDER)

    async def work(database: Database, claim: Claim, stop: asyncio.Event) -> None:
        del stop
        async with database.transaction(claim.tenant) as tx:
            refund = await service.get_refund(tx, claim.subject)
        async with turns.at(refund.provider) as is_free:
            if is_free:
                await submit_refund(desk, database, claim.tenant, RefundId(claim.subject))
        async with database.transaction(claim.tenant) as tx:
            # What is to be asked again was put on the agenda as it was recorded.
            await claim.finish(tx, again_at=None if is_free else tx.real_now + PUT_OFF)

    return Task(ASK, Steps(work), concurrency=OF_PROVIDER * len(PROVIDERS))
