"""What is to be done for subscriptions by itself: noted, claimed by workers, tried again."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from monigo.core.ids import CustomerId, SubscriptionId
from monigo.core.periods import Period
from monigo.infra.database import Database, Tenant, Transaction
from monigo.subscriptions import due_store, store
from monigo.subscriptions.rules import next_due_at
from monigo.subscriptions.types import Due, Subscription

# After a failure: a minute, then twice as long each time, up to a day.
RETRY_FIRST = timedelta(minutes=1)
RETRY_MAX = timedelta(days=1)
# Two weeks of trying; what still fails then waits for a change, flagged on the subscription.
ATTEMPTS_MAX = 24


async def note_due(tx: Transaction, subscriptions: Sequence[Subscription]) -> None:
    """Note when something is to be done for locked subscriptions, by their present state."""
    dues = [(known.id, next_due_at(known, tx.now)) for known in subscriptions]
    put = [Due(known, due_at, 0) for known, due_at in dues if due_at is not None]
    gone = [known for known, due_at in dues if due_at is None]
    if put:
        await due_store.put_due(tx, put)
    if gone:
        await due_store.delete_due(tx, gone)


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


async def claim(
    tx: Transaction, limit: int, only: Sequence[SubscriptionId] = ()
) -> list[tuple[Due, Subscription]]:
    """Some subscriptions for which something is due now, locked, in the order of their ids.

    Those that somebody else holds are left out, and come again.
    """
    dues = {due.subscription_id: due for due in await due_store.claim_due(tx, limit, only)}
    held = await store.lock_ever(tx, list(dues), skip_locked=True) if dues else []
    return [(dues[known.id], known) for known in held]


async def wait_until(tx: Transaction, waiting: Sequence[tuple[Due, datetime]]) -> None:
    """Look at claimed subscriptions again later; nothing is wrong with them."""
    if waiting:
        await due_store.put_due(tx, [replace(due, due_at=due_at) for due, due_at in waiting])


async def set_aside(tx: Transaction, due: Due, subscription: Subscription, reason: str) -> None:
    """Flag a locked subscription that could not be billed, and try it again later, or no more."""
    attempts = due.attempts + 1
    await store.update_billed(tx, [replace(subscription, billing_error=reason)])
    if attempts >= ATTEMPTS_MAX:
        await due_store.delete_due(tx, [due.subscription_id])
        return
    pause = min(RETRY_FIRST * 2 ** min(due.attempts, 16), RETRY_MAX)
    await due_store.put_due(tx, [Due(due.subscription_id, tx.now + pause, attempts)])


async def wake(
    tx: Transaction, customer_ids: Sequence[CustomerId], also: Sequence[SubscriptionId]
) -> None:
    """Have customers' subscriptions that wait for a balance looked at now, and `also` these."""
    await due_store.put_waiting_due(tx, customer_ids, also)


async def next_due(tx: Transaction) -> datetime | None:
    """When something is to be done next for any subscription of the tenant."""
    return await due_store.next_due_at(tx)


async def tenants_with_due(database: Database, now: datetime) -> list[Tenant]:
    """The tenants for whose subscriptions something is due at `now`."""
    async with database.lookups() as connection:
        return await due_store.tenants_with_due(connection, now)


async def recheck(tx: Transaction, window: Period) -> None:
    """Have the closed periods that overlap a window looked at again; ended ones soon."""
    ended = await due_store.mark_for_recheck(tx, window)
    if ended:
        await due_store.put_due(tx, [Due(known, tx.now, 0) for known in ended])
