"""Use cases of billing events: facts of the outbox, read as merchants see them."""

from msgspec import Struct

from monigo.core.paging import Page, PageRequest
from monigo.core.verification import DIFFERENCES_MAX, Difference, Verification
from monigo.infra.crypto import Vault
from monigo.infra.db import Transaction
from monigo.infra.http_client import Outward
from monigo.webhooks import deliveries, store
from monigo.webhooks.projection import TYPES, project, public_name
from monigo.webhooks.types import BillingEvent, EventType


class Webhooks(Struct, frozen=True):
    """What a process works with where it takes endpoints in and sends to them."""

    vault: Vault
    outward: Outward
    sender: deliveries.Sender


async def list_page(
    tx: Transaction, request: PageRequest, event_type: EventType | None
) -> Page[BillingEvent]:
    """The log, newest first, with all that was committed before."""
    name = event_type and event_type.value
    page = await store.load_page(tx, TYPES, request, name)
    return Page([project(recorded) for recorded in page.items], page.total, page.offset)


async def verify(tx: Transaction) -> Verification:
    """Find facts that are to be published and are not, or under another name."""
    found: list[Difference] = []
    looked_at = 0
    async for recorded, name in store.names_of(tx, TYPES):
        looked_at += 1
        computed = public_name(recorded.fact)
        if name != computed and len(found) < DIFFERENCES_MAX:
            found.append(Difference("billing event", str(recorded.id), name, computed))
    return Verification({"billing events": looked_at}, found)
