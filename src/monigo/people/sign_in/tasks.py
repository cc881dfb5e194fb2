"""What is forgotten of signing in: tries, codes, registrations and sessions of long ago."""

import asyncio

from monigo.infra.agenda import Claim, Steps, Task
from monigo.infra.db import Database, Transaction
from monigo.people import accounts, attempts, codes, second_factor, sessions
from monigo.people.expiry import LONG, SHORT, SIGN_IN_EXPIRY
from monigo.people.store import see_people

# Of each table in one transaction, which is over soon.
FORGOTTEN_AT_ONCE = 1_000


async def _forget(database: Database, claim: Claim, stop: asyncio.Event) -> None:
    """Forget all that is old, whichever days the entry is of, some in each transaction."""
    while not stop.is_set():
        async with database.transaction(claim.tenant) as tx:
            if not await _forget_some(tx, FORGOTTEN_AT_ONCE):
                await claim.finish(tx)
                return


async def _forget_some(tx: Transaction, limit: int) -> bool:
    """Forget some of what is old; whether there may be more."""
    await see_people(tx)
    short, long_ago = tx.real_now - SHORT, tx.real_now - LONG
    counts = (
        await attempts.delete_old(tx, failed_before=short, at_all_before=long_ago, limit=limit),
        # Before the registrations that they are of, which would take all of them along.
        await codes.delete_before(tx, short, limit),
        await accounts.forget_registrations(tx, short, limit),
        await second_factor.forget_challenges(tx, short, limit),
        await sessions.forget_ended(tx, long_ago, limit),
    )
    return max(counts) == limit


FORGET = Task(SIGN_IN_EXPIRY, Steps(_forget), concurrency=1, every_seconds=60)
