"""Payout rules' recipients: those who become customers get what waited for them."""

from collections.abc import Sequence
from uuid import UUID

from monigo import customers
from monigo.core.errors import DomainError
from monigo.core.ids import CustomerId
from monigo.infra import agenda
from monigo.infra.agenda import Entry, Follows, Kind
from monigo.infra.db import Transaction
from monigo.metering import attribution, rollup

# Of a customer: what events are worth to whom they name may be waiting for this one.
RECIPIENT_KNOWN = Kind("recipient_known", Follows.TENANT)
# Rows that one customer's turn moves: about a second of work, for which folding waits.
WAITING_AT_ONCE_MAX = 20_000


async def note_recipients(tx: Transaction, customer_ids: Sequence[CustomerId]) -> None:
    """Have customers given what waits for them, where the tenant has payout rules."""
    if customer_ids and await attribution.has_rules(tx):
        await agenda.put(tx, RECIPIENT_KNOWN, dict.fromkeys(customer_ids, tx.now))


async def note_renamed(tx: Transaction, facts: Sequence[customers.events.CustomerUpdated]) -> None:
    """Have customers given what waits for the external_id that they have from now on."""
    await note_recipients(tx, [fact.customer_id for fact in facts if "external_id" in fact.changed])


async def attribute_waiting(tx: Transaction, entries: Sequence[Entry]) -> set[UUID]:
    """Give customers what waited for them; those for whom some is left stay due.

    No fold is under way meanwhile, which might have taken them for unknown.
    """
    await rollup.lock_folding(tx)
    left: set[UUID] = set()
    for entry in entries:
        try:
            customer = await customers.get(tx, entry.subject)
        except DomainError:
            continue  # Deleted meanwhile.
        external_id = customer.details.external_id
        references = [str(customer.id), *([external_id] if external_id else [])]
        if await rollup.attribute_waiting(tx, customer.id, references, limit=WAITING_AT_ONCE_MAX):
            left.add(entry.subject)
    return left
