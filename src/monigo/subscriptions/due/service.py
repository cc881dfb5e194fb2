"""Due work of subscriptions: noted on the agenda, done by billing."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from monigo.catalog import PlanType
from monigo.core.ids import CustomerId, SubscriptionId
from monigo.core.periods import Period
from monigo.infra import agenda
from monigo.infra.agenda import Follows, Kind
from monigo.infra.db import Transaction
from monigo.subscriptions import store
from monigo.subscriptions.due.store import list_active_of_customers, list_waiting, mark_for_recheck
from monigo.subscriptions.rules import next_due_at
from monigo.subscriptions.types import Status, Subscription

# Of a subscription: a period ends or opens, it ends or changes its plan, or is looked at again.
PERIOD_CLOSE = Kind("period_close", Follows.TENANT)


async def note_due(tx: Transaction, subscriptions: Sequence[Subscription]) -> None:
    """Note when something is to be done for locked subscriptions, by their present state."""
    dues = [(known.id, next_due_at(known, tx.now)) for known in subscriptions]
    await look_at(tx, {known: due_at for known, due_at in dues if due_at is not None})
    await agenda.cancel(tx, PERIOD_CLOSE, [known for known, due_at in dues if due_at is None])


async def save(tx: Transaction, subscription: Subscription) -> Subscription:
    """Store a changed, locked subscription, and when something is to be done for it next."""
    changed = replace(subscription, updated_at=tx.now)
    await store.update(tx, changed)
    await note_due(tx, [changed])
    return changed


async def save_billed(tx: Transaction, billed: Sequence[Subscription]) -> None:
    """Store how far locked subscriptions are billed now, and when each has something to do next."""
    await store.update_billed(tx, billed)
    await note_due(tx, billed)


async def lock_due(
    tx: Transaction, subscription_ids: Sequence[SubscriptionId]
) -> tuple[list[Subscription], set[SubscriptionId]]:
    """Lock those of these subscriptions that are not locked elsewhere; and the ids of the others.

    Unknown ids are in neither.
    """
    held = await store.lock_ever(tx, subscription_ids, skip_locked=True)
    missing = set(subscription_ids) - {known.id for known in held}
    busy = await store.load_ever(tx, list(missing)) if missing else []
    return held, {known.id for known in busy}


async def look_at(tx: Transaction, instants: Mapping[SubscriptionId, datetime]) -> None:
    """Put subscriptions on the agenda, at given instants instead of those of their state."""
    await agenda.put(tx, PERIOD_CLOSE, instants)


async def flag_unbilled(tx: Transaction, subscription_id: SubscriptionId, reason: str) -> None:
    """Record on a subscription why it could not be billed.

    One that somebody holds is left: whatever changes it has it looked at again.
    """
    held = await store.lock_ever(tx, [subscription_id], skip_locked=True)
    if held:
        await store.update_billed(tx, [replace(one, billing_error=reason) for one in held])


async def wake(
    tx: Transaction, customer_ids: Sequence[CustomerId], also: Sequence[SubscriptionId]
) -> None:
    """Have customers' subscriptions that wait for a balance looked at now, and `also` these."""
    waiting = await list_waiting(tx, customer_ids)
    await look_at(tx, dict.fromkeys([*waiting, *also], tx.now))


async def recheck(tx: Transaction, window: Period, plan_type: PlanType | None = None) -> None:
    """Have the closed periods that overlap a window looked at again; ended ones soon.

    Those of any plan, or of one type of plan.
    """
    ended = await mark_for_recheck(tx, window, plan_type)
    await look_at(tx, dict.fromkeys(ended, tx.now))


async def lock_free(
    tx: Transaction, customer_ids: Sequence[CustomerId]
) -> tuple[list[Subscription], set[CustomerId]]:
    """These customers' active subscriptions, locked in the order of their ids; and who is busy.

    Those that somebody else holds are left out; their customers are the busy ones.
    """
    active = await list_active_of_customers(tx, customer_ids)
    held = await store.lock_ever(tx, list(active), skip_locked=True)
    busy = active.keys() - {known.id for known in held}
    return [known for known in held if known.status is Status.ACTIVE], {
        active[subscription_id] for subscription_id in busy
    }
