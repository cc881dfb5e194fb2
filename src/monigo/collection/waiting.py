"""A test clock on its way waits for what providers say of charges that fell due."""

import asyncio
from collections.abc import Sequence

from monigo.collection.due import AWAIT
from monigo.core.ids import ChargeId
from monigo.infra import agenda
from monigo.infra.agenda import Claim, Steps, Task
from monigo.infra.db import ClockState, Database, Transaction
from monigo.payments import charges
from monigo.payments.charges import Charge, ChargeState, Desk

# Of real time; then the clock goes on, and the charge is asked about as all others are.
WAITED_SECONDS = (0.2, 0.5, 1, 2, 4, 8, 14)


async def await_outcomes(tx: Transaction, made: Sequence[Charge]) -> None:
    """Have a test clock wait for what becomes of charges, if one is set."""
    if tx.clock is not ClockState.UNSET:
        await agenda.put(tx, AWAIT, {charge.id: tx.now for charge in made})


def await_task(desk: Desk) -> Task:
    """Due work that sends a charge, unless somebody did, and waits until its outcome is known."""

    async def work(database: Database, claim: Claim, stop: asyncio.Event) -> None:
        charge_id = ChargeId(claim.subject)
        charge = await charges.submit(desk, database, claim.tenant, charge_id)
        for seconds in WAITED_SECONDS:
            if not charge.is_live or charge.state is ChargeState.NEEDS_ACTION or stop.is_set():
                break
            await asyncio.sleep(seconds)
            charge = await charges.submit(desk, database, claim.tenant, charge_id)
        async with database.transaction(claim.tenant) as tx:
            await claim.finish(tx)

    return Task(AWAIT, Steps(work), concurrency=4)
