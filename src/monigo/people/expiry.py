"""Notes that what comes up when people sign in is to be forgotten one day."""

from datetime import timedelta

from monigo.infra import agenda
from monigo.infra.agenda import Follows, Kind
from monigo.infra.db import Transaction

SIGN_IN_EXPIRY = Kind("sign_in_expiry", Follows.REAL)
# Failures, codes and registrations matter for a day; devices and addresses are known for longer.
SHORT = timedelta(days=2)
LONG = timedelta(days=90)


async def note(tx: Transaction) -> None:
    """Have what comes up about now forgotten, once and for all of a day."""
    await agenda.put_for_span(tx, SIGN_IN_EXPIRY, tx.real_now, span=timedelta(days=1), after=SHORT)
