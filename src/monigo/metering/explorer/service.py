"""The event explorer: lists stored events page by page, and streams all of them.

A customer's events are listed by their own time; events of all customers in the order of arrival. A
cursor names a position between two events, so that events ingested meanwhile neither repeat nor
shift a page. A statement examines a bounded number of events: a page may have fewer than asked for,
and still a cursor of the next page.
"""

import base64
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

from msgspec import Struct

from monigo import customers
from monigo.core.errors import invalid
from monigo.infra.db import Database, Tenant, Transaction
from monigo.metering.explorer import store
from monigo.metering.explorer.store import Position, Walk
from monigo.metering.explorer.types import EventFilter, EventPage, EventRequest, StoredEvent
from monigo.metering.rules import AGE_MAX, LEAD_MAX

EVENTS_A_PAGE_MAX = 1_000
# How far pages by number reach: skipped events are read, too. A cursor reaches everything.
PAGED_EVENTS_MAX = 100_000
# How much the order of arrival and the time of receipt may differ between processes' clocks.
ARRIVAL_SLACK = timedelta(days=1)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_BY_TIME = struct.Struct(">2sq16s")
_BY_ARRIVAL = struct.Struct(">2s16s16s")


async def list_events(tx: Transaction, request: EventRequest) -> EventPage:
    """One page of events; none for an unknown customer.

    Raises:
        DomainError: invalid, for a cursor of another list, or a page that lies too far.
    """
    if request.page > 1 and request.cursor:
        raise invalid({"page": "can't be combined with a cursor"})
    if request.page * request.limit > PAGED_EVENTS_MAX:
        raise invalid({"page": f"lies beyond {PAGED_EVENTS_MAX} events: go on with next_cursor"})
    walk = await plan_walk(tx, request.wanted, newest_first=request.newest_first)
    if walk is None:
        return EventPage([], "")
    after = _parse_cursor(walk, request.cursor) if request.cursor else None
    skipped = (request.page - 1) * request.limit
    piece = await _next_piece(tx, walk, after, limit=request.limit, offset=skipped)
    if skipped and not piece.events and piece.after:
        raise invalid({"page": "too few events match before it: go on with next_cursor"})
    return EventPage(piece.events, _cursor(walk, piece.after) if piece.after else "")


async def plan_walk(tx: Transaction, wanted: EventFilter, *, newest_first: bool) -> Walk | None:
    """The walk through the events that are wanted; None for an unknown customer.

    Raises:
        DomainError: invalid, when the bounds are the wrong way round.
    """
    start = wanted.start or store.FIRST_INSTANT
    end = wanted.end or store.LAST_INSTANT
    if end <= start:
        raise invalid({"to": "must lie after from"})
    customer_id = None
    if wanted.customer is not None:
        customer_id = (await customers.resolve(tx, [wanted.customer])).get(wanted.customer)
        if customer_id is None:
            return None
    return Walk(customer_id, wanted.event_name, start, end, newest_first)


async def stream_events(
    database: Database, tenant: Tenant, walk: Walk
) -> AsyncIterator[list[StoredEvent]]:
    """All events of a walk, a list at a time, each read in a short transaction of its own."""
    after: Position | None = None
    while True:
        async with database.transaction(tenant) as tx:
            piece = await _next_piece(tx, walk, after, limit=EVENTS_A_PAGE_MAX, offset=0)
        yield piece.events
        if piece.after is None:
            return
        after = piece.after


async def property_keys(tx: Transaction, event_name: str) -> list[str]:
    """The properties that recent events of this name have, sorted."""
    return await store.property_keys(tx, event_name)


class _Piece(Struct, frozen=True):
    """Some events of a walk, and where it goes on, unless it has ended."""

    events: list[StoredEvent]
    after: Position | None


async def _next_piece(
    tx: Transaction, walk: Walk, after: Position | None, *, limit: int, offset: int
) -> _Piece:
    events = await store.read(tx, walk, after, limit=limit + 1, offset=offset)
    if len(events) > limit:
        return _Piece(events[:limit], walk.behind(events[limit - 1]))
    last = await store.last_examined(tx, walk, after)
    if last is None or _is_past(walk, last):
        return _Piece(events, None)
    return _Piece(events, walk.behind(last))


def _is_past(walk: Walk, last: StoredEvent) -> bool:
    """Whether nothing that arrived before (or after) this event can lie within the bounds.

    An event happens at most 90 days before it is received, and an hour after.
    """
    if not walk.is_by_arrival:
        return False
    if walk.newest_first:
        return last.received_at - walk.start < -(LEAD_MAX + ARRIVAL_SLACK)
    return last.received_at - walk.end > AGE_MAX + ARRIVAL_SLACK


def _cursor(walk: Walk, position: Position) -> str:
    if isinstance(position.key, UUID):
        packed = _BY_ARRIVAL.pack(_kind(walk), position.key.bytes, position.dedup.bytes)
    else:
        packed = _BY_TIME.pack(_kind(walk), (position.key - _EPOCH) // _TICK, position.dedup.bytes)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _parse_cursor(walk: Walk, text: str) -> Position:
    position = None
    with suppress(ValueError, OverflowError, struct.error):
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        kind, key, dedup = (_BY_ARRIVAL if walk.is_by_arrival else _BY_TIME).unpack(packed)
        if kind == _kind(walk):
            behind = UUID(bytes=key) if walk.is_by_arrival else _EPOCH + key * _TICK
            position = Position(behind, UUID(bytes=dedup))
    if position is None:
        raise invalid({"cursor": "is of no list with this customer_id and sort_order"})
    return position


def _kind(walk: Walk) -> bytes:
    return (b"a" if walk.is_by_arrival else b"t") + (b"d" if walk.newest_first else b"u")
