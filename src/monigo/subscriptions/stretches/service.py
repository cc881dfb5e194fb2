"""Stretches: no instant of a customer's usage belongs to two subscriptions of one plan type.

A subscription takes every instant from its start to its end but its pauses, whatever became of its
periods: trials, voided, waived and unpaid ones too, and those of deleted subscriptions. This is
checked under the customer's lock; the constraint `subscription_stretches_never_overlap` is behind
it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from monigo.catalog import PlanType
from monigo.core.errors import DomainError, ErrorKind
from monigo.core.ids import CustomerId, SubscriptionId
from monigo.core.periods import Period, start_of_hour, subtract
from monigo.core.times import format_instant
from monigo.infra.db import Transaction
from monigo.subscriptions.stretches import store
from monigo.subscriptions.types import Subscription


async def usual_start(
    tx: Transaction,
    customer_id: CustomerId,
    plan_type: PlanType,
    *,
    besides: SubscriptionId,
    timezone: str,
) -> datetime:
    """Where a subscription begins that names no start: at the start of the hour in its zone.

    Clients' clocks lag, and some send whole seconds: what was used just before counts. It is never
    before the last instant that another subscription of the plan type may bill.
    """
    hour = start_of_hour(tx.now, timezone)
    taken_until = await store.last_end(tx, customer_id, plan_type, besides=besides)
    return hour if taken_until is None else max(hour, taken_until)


async def times_before(
    tx: Transaction, known: Sequence[Subscription], length: timedelta
) -> dict[SubscriptionId, tuple[Period, ...]]:
    """The time before each subscription that no earlier one of its type had, at most so long.

    Absent where there is none. It never changes: nothing begins before what is there. An earlier
    one that ended without a bill, before it began or in its trial, had no more than its trial.
    """
    if not known:
        return {}
    earlier = await store.load_earlier(tx, known, length)
    times = {one.id: _time_before(one, earlier[one.id], length) for one in known}
    return {known_id: windows for known_id, windows in times.items() if windows}


def _time_before(
    subscription: Subscription, earlier: Sequence[store.Earlier], length: timedelta
) -> tuple[Period, ...]:
    end = subscription.start_date
    start = max([end - length, *(one.ended_at for one in earlier if one.is_billed)])
    if start >= end:
        return ()
    trials = [
        Period(one.start_date, one.ended_at)
        for one in earlier
        if not one.is_billed and one.start_date < one.ended_at
    ]
    return subtract(Period(start, end), trials)


async def claim(
    tx: Transaction, subscription: Subscription, since: datetime, *, field: str
) -> None:
    """Give a subscription all instants from `since` to its end; its customer is locked.

    Raises:
        DomainError: conflict, naming the field at fault and the instant up to which another
            subscription of the plan type bills the customer's usage.
    """
    started_at = max(since, subscription.start_date)
    if subscription.end_date is not None and subscription.end_date <= started_at:
        return
    taken_until = await store.last_end(
        tx, subscription.customer_id, subscription.plan_type, besides=subscription.id
    )
    if taken_until is not None and taken_until > started_at:
        raise _taken(taken_until, field)
    await store.insert(tx, subscription, started_at, subscription.end_date)


async def release(tx: Transaction, subscription: Subscription, since: datetime) -> None:
    """Take all instants from `since` on from a subscription, as it pauses or ends."""
    await store.cut(tx, subscription.id, since)


def _taken(until: datetime, field: str) -> DomainError:
    message = (
        "another subscription of this plan type bills the customer's usage"
        f" up to {format_instant(until)}"
    )
    fields = {field: f"must not be before {format_instant(until)}: {message}"}
    return DomainError(ErrorKind.CONFLICT, "usage_taken", message, fields=fields)
