"""Cards that expire: this is reported a month before, and as it has happened."""

from collections.abc import Sequence

from monigo.infra import agenda, outbox
from monigo.infra.agenda import Entry, Follows, Kind, Slices, Task
from monigo.infra.db import RowLock, Transaction
from monigo.payments.methods import store
from monigo.payments.methods.events import (
    MethodExpiryFact,
    PaymentMethodExpired,
    PaymentMethodExpiring,
)
from monigo.payments.methods.rules import expiry_instants
from monigo.payments.methods.types import PaymentMethod

# Of methods that expire: that it is soon, or has happened.
EXPIRY = Kind("payment_method_expiry", Follows.TENANT)


async def schedule(tx: Transaction, method: PaymentMethod, before: PaymentMethod | None) -> None:
    """Have it reported that a stored method expires; `before` is what was known of it."""
    expiry = expiry_instants(method)
    if expiry is not None and (before is None or expiry_instants(before) != expiry):
        await agenda.put(tx, EXPIRY, {method.id: max(expiry.soon_at, tx.now)})


async def report(tx: Transaction, entries: Sequence[Entry]) -> tuple[()]:
    """Report methods that expire soon, and those that have expired; not those that were removed."""
    for entry in entries:
        method = await store.load(tx, entry.subject, RowLock.CHANGE)
        if method is not None and method.removed_at is None:
            await _report(tx, method)
    return ()


async def _report(tx: Transaction, method: PaymentMethod) -> None:
    expiry = expiry_instants(method)
    if expiry is None:
        return
    if tx.now >= expiry.at:
        await outbox.emit(tx, [_fact(PaymentMethodExpired, method)])
        return
    if tx.now >= expiry.soon_at:
        await outbox.emit(tx, [_fact(PaymentMethodExpiring, method)])
    next_at = expiry.at if tx.now >= expiry.soon_at else expiry.soon_at
    await agenda.put(tx, EXPIRY, {method.id: next_at})


def _fact(kind: type[MethodExpiryFact], method: PaymentMethod) -> MethodExpiryFact:
    return kind(
        payment_method_id=method.id,
        customer_id=method.customer_id,
        connection_id=method.connection_id,
        provider=method.provider,
        brand=method.brand,
        last4=method.last4,
        exp_month=method.exp_month or 0,
        exp_year=method.exp_year or 0,
        is_default=method.is_default,
    )


REPORT_EXPIRY = Task(EXPIRY, Slices(report), concurrency=1, every_seconds=60)
