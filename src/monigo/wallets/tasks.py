"""The due work of wallets: held money comes back, and what is left of expired credits goes."""

from functools import partial

from monigo.infra.agenda import Slices, Task
from monigo.wallets.credits import OpenPeriods, expire_credits
from monigo.wallets.due import CREDIT_EXPIRY, RESERVATION_EXPIRY
from monigo.wallets.reservations import expire_reservations

EXPIRE_RESERVATIONS = Task(RESERVATION_EXPIRY, Slices(expire_reservations))


def expire_credits_after(open_periods: OpenPeriods) -> Task:
    """The end of credits, which waits for the periods that they may still pay."""
    return Task(CREDIT_EXPIRY, Slices(partial(expire_credits, open_periods=open_periods)))
