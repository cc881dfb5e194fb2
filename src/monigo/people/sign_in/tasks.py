"""What is forgotten of signing in: tries, codes, registrations and sessions of long ago."""

from collections.abc import Collection, Sequence
from uuid import UUID

from monigo.infra.agenda import Entry, Slices, Task
from monigo.infra.db import Transaction
from monigo.people import accounts, attempts, codes, second_factor, sessions
from monigo.people.expiry import LONG, SHORT, SIGN_IN_EXPIRY
from monigo.people.store import see_people


async def _forget(tx: Transaction, entries: Sequence[Entry]) -> Collection[UUID]:
    del entries  # Whichever days they are of, all that is old goes.
    await see_people(tx)
    short, long_ago = tx.real_now - SHORT, tx.real_now - LONG
    await attempts.delete_old(tx, a_day_ago=short, long_ago=long_ago)
    await codes.delete_before(tx, short)
    await accounts.forget_registrations(tx, short)
    await second_factor.forget_challenges(tx, short)
    await sessions.forget_ended(tx, long_ago)
    return ()


FORGET = Task(SIGN_IN_EXPIRY, Slices(_forget), every_seconds=60)
