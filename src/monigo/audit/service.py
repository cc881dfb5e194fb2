"""Use cases of the audit log: write entries, have them linked, and read them."""

import base64
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from monigo.audit import store
from monigo.audit.events import EntriesWritten
from monigo.audit.rules import short
from monigo.audit.types import Call, Entry, EntryFilter, EntryPage, Fields, LoggedEntry, Place
from monigo.core.access import Principal
from monigo.core.errors import invalid
from monigo.infra import outbox
from monigo.infra.db import Database, Tenant, Transaction
from monigo.infra.facts import Recorded, Subscriber
from monigo.infra.ids import new_id

ENTRIES_A_PAGE_MAX = 1_000
# How far pages by offset reach: skipped entries are read, too. A cursor reaches everything.
OFFSET_MAX = 100_000

_encode = msgspec.json.Encoder().encode
_CURSOR = struct.Struct(">qQ")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def entry_of(
    who: Principal,
    call: Call,
    *,
    at: datetime,
    resource: tuple[str, UUID],
    changed: tuple[Fields | None, Fields | None],
    is_of_mode: bool = True,
) -> Entry:
    """What somebody changed by a call: the fields that differ, of a thing by its type and id."""
    return Entry(
        id=new_id(),
        at=at,
        is_of_mode=is_of_mode,
        actor_kind=who.kind.value,
        actor_id=who.id,
        actor_name=short(who.name),
        permission=call.permission,
        action=call.action,
        route=call.route,
        resource_type=resource[0],
        resource_id=resource[1],
        before=changed[0],
        after=changed[1],
        address=call.address,
        user_agent=short(call.user_agent),
        request_id=call.request_id,
    )


def written(entries: Sequence[Entry]) -> EntriesWritten:
    """The fact that takes entries, at least one, to the log; for the transaction that they record.

    They are linked after that one has committed, so that those who change things of one
    organisation don't wait for each other.
    """
    return EntriesWritten(record_id=entries[0].id, entries=msgspec.Raw(_encode(entries)))


async def write(tx: Transaction, entries: Sequence[Entry]) -> None:
    """Write entries in the transaction that they record."""
    if entries:
        await outbox.emit(tx, [written(entries)])


async def chain(tx: Transaction, records: Sequence[Recorded]) -> None:
    """Add written entries to the log, and link them."""
    facts = [record.fact for record in records]
    await store.chain(
        tx, [bytes(fact.entries).decode() for fact in facts if isinstance(fact, EntriesWritten)]
    )


# Nobody waits for it: who reads the log has what was written added first.
CHAIN = Subscriber("audit log", (EntriesWritten,), chain, is_woken=False)


async def list_entries(
    tx: Transaction, wanted: EntryFilter, *, limit: int, offset: int = 0, cursor: str = ""
) -> EntryPage:
    """Entries that match, newest first, with all that was committed before in this mode.

    Raises:
        DomainError: invalid (cursor, bounds).
    """
    check(wanted)
    await outbox.catch_up(tx, CHAIN)
    after = _parse_cursor(cursor) if cursor else None
    return await _page(tx, wanted, after, limit=limit, offset=offset)


async def stream_entries(
    database: Database, tenant: Tenant, wanted: EntryFilter
) -> AsyncIterator[list[LoggedEntry]]:
    """All entries that match, a list at a time, each read in a short transaction of its own."""
    async with database.transaction(tenant) as tx:
        await outbox.catch_up(tx, CHAIN)
    after: Place | None = None
    while True:
        async with database.transaction(tenant) as tx:
            page = await _page(tx, wanted, after, limit=ENTRIES_A_PAGE_MAX, offset=0)
        yield page.entries
        after = page.after
        if after is None:
            return


def check(wanted: EntryFilter) -> None:
    """Refuse bounds that are the wrong way round.

    Raises:
        DomainError: invalid.
    """
    if wanted.start is not None and wanted.end is not None and wanted.end <= wanted.start:
        raise invalid({"to": "must lie after from"})


def cursor_text(place: Place | None) -> str:
    """Leads on to the entries behind a place; empty where there are none."""
    if place is None:
        return ""
    packed = _CURSOR.pack((place.at - _EPOCH) // _TICK, place.sequence)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


async def _page(
    tx: Transaction, wanted: EntryFilter, after: Place | None, *, limit: int, offset: int
) -> EntryPage:
    found = await store.load_page(tx, wanted, after, limit=limit + 1, offset=offset)
    entries = found[:limit]
    last = Place(entries[-1].at, entries[-1].sequence) if len(found) > limit else None
    return EntryPage(entries, last)


def _parse_cursor(text: str) -> Place:
    with suppress(ValueError, OverflowError, struct.error):
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        ticks, sequence = _CURSOR.unpack(packed)
        if 0 < sequence < 1 << 63:
            return Place(_EPOCH + ticks * _TICK, sequence)
    raise invalid({"cursor": "is not from this list"})
