"""The due work of invoicing: periods to close, credits that are waited for, realtime charges."""

from datetime import timedelta
from uuid import UUID

from monigo import metering, subscriptions, wallets
from monigo.core.ids import SubscriptionId
from monigo.infra.agenda import BackOff, Slices, Task
from monigo.infra.db import Transaction
from monigo.invoicing.closing import charge_changed, close_due, flag_uncharged
from monigo.invoicing.documents import wake

# One computes here while the others are in the database.
SLICES_AT_ONCE = 4
# Enough to share out each query's cost; few enough that a request never waits long for a row.
CLOSED_AT_ONCE = 200
# Two weeks of trying; what still fails then waits for a change, flagged on the subscription.
CLOSING_ATTEMPTS_MAX = 24
# How much usage an empty wallet may get at most beyond its balance (behaviour page, Invoices).
CHARGE_EVERY_SECONDS = 5


async def _flag_unbilled(tx: Transaction, subject: UUID, reason: str) -> None:
    await subscriptions.flag_unbilled(tx, SubscriptionId(subject), reason)


# Of a customer: a wallet got something that may be waited for.
WAKE = Task(wallets.WALLET_CREDITED, Slices(wake))

CLOSE = Task(
    subscriptions.PERIOD_CLOSE,
    Slices(close_due, CLOSED_AT_ONCE, _flag_unbilled),
    concurrency=SLICES_AT_ONCE,
    back_off=BackOff(timedelta(minutes=1), timedelta(days=1), CLOSING_ATTEMPTS_MAX),
)

CHARGE = Task(
    metering.USAGE_CHANGED,
    Slices(charge_changed, flag=flag_uncharged),
    concurrency=SLICES_AT_ONCE,
    every_seconds=CHARGE_EVERY_SECONDS,
)
