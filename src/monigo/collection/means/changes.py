"""What kept invoices from being charged has changed: they are looked at again at once."""

from collections.abc import Sequence
from datetime import timedelta

from monigo import customers, tenancy
from monigo.collection import store
from monigo.collection.due import COLLECT, RETRY
from monigo.collection.types import WaitsFor
from monigo.infra import agenda
from monigo.infra.agenda import Entry, Slices, Task
from monigo.infra.db import Tenant, Transaction
from monigo.payments import connections

# A slice of collection that read the connections as they were before has ended by then: what it
# notes as waiting is found by a second look.
SECOND_LOOK_AFTER = timedelta(minutes=1)
# Their entries are put in the transaction that releases them.
RELEASED_AT_ONCE = 500
# Neither is the payer's to change, and each may keep all invoices of a tenant.
_OF_MERCHANT = (WaitsFor.CONNECTION, WaitsFor.ORGANIZATION)


async def note_connections(
    tx: Transaction, changed: Sequence[connections.events.PaymentConnectionChanged]
) -> None:
    """Have invoices looked at again that no connection charges, after one was changed."""
    due = {one.connection_id: tx.real_now for one in changed}
    await agenda.put(tx, RETRY, due)
    await agenda.put(tx, RETRY, {tx.org_id: tx.real_now + SECOND_LOOK_AFTER})


async def note_activated(
    tx: Transaction, activated: Sequence[tenancy.events.OrganizationActivated]
) -> None:
    """Have the invoices of both modes looked at again as an organisation's suspension ends."""
    for _ in activated:
        for is_test in (True, False):
            async with tenancy.bound_to(tx, Tenant(tx.org_id, is_test)) as own:
                await agenda.put(own, RETRY, {own.org_id: own.real_now + SECOND_LOOK_AFTER})


async def note_emails(tx: Transaction, changed: Sequence[customers.events.CustomerUpdated]) -> None:
    """Have the invoices of customers looked at again whose e-mail address is another now.

    The customers are locked, as they are while it is noted that their invoices wait for it.
    """
    owners = [one.customer_id for one in changed if "email" in one.changed]
    if owners:
        waiting = await store.waiting_of_customers(tx, owners, WaitsFor.EMAIL)
        await agenda.put(tx, COLLECT, dict.fromkeys(waiting, tx.now))


async def retry_waiting(tx: Transaction, entries: Sequence[Entry]) -> tuple[()]:
    """Have waiting invoices collected again, a few hundred at once."""
    for waits_for in _OF_MERCHANT:
        released = await store.release_waiting(tx, waits_for, RELEASED_AT_ONCE)
        await agenda.put(tx, COLLECT, dict.fromkeys(released, tx.now))
        if len(released) == RELEASED_AT_ONCE:
            await agenda.put(tx, RETRY, {entries[0].subject: tx.real_now})
    return ()


# Two at once would look at the same invoices.
RETRY_WAITING = Task(RETRY, Slices(retry_waiting), concurrency=1)
