"""What the period close waits for: late events, replays, and differences worth an invoice."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from monigo import subscriptions
from monigo.core.ids import SubscriptionId
from monigo.core.periods import Period
from monigo.infra.db import Transaction
from monigo.invoicing.closing.rules import Action, Step
from monigo.subscriptions import Subscription

# While a replay rebuilds the period's usage.
REPLAY_WAIT = timedelta(seconds=2)


def is_replayed(step: Step, replayed: Sequence[Period]) -> bool:
    """Whether a running replay counts events of the period that a step closes or settles."""
    period = step.period
    if period is None or step.action not in {Action.CLOSE, Action.CHECK_LATE_USAGE}:
        return False
    return any(window.start < period.end and period.start < window.end for window in replayed)


async def wait_for_more(tx: Transaction, small: Sequence[Subscription]) -> None:
    """What is too small for a supplementary invoice is looked at again when others are, daily."""
    looks = [
        (known.id, subscriptions.next_due_at(replace(known, recheck_from=None), tx.now))
        for known in small
    ]
    await subscriptions.look_at(
        tx, {known_id: look for known_id, look in looks if look is not None}
    )


async def wait_out_grace(
    tx: Transaction, steps: Sequence[tuple[Step, Subscription]], grace: timedelta
) -> None:
    """A closing draft is looked at again when late events have had their time to come.

    Or before, when the subscription itself ends or changes its plan meanwhile.
    """
    waiting: dict[SubscriptionId, datetime] = {}
    for step, known in steps:
        if step.action is Action.DRAFT and step.period is not None:
            closes_at = step.period.end + grace
            changes = (subscriptions.ends_at(known), known.scheduled_at)
            waiting[known.id] = min((closes_at, *(at for at in changes if at is not None)))
    await subscriptions.look_at(tx, waiting)
