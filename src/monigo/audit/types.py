"""What the audit log holds: who changed what, by which request."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

# Field by field; None before a thing was made, and after it was deleted.
Fields = Mapping[str, Any]


class Call(Struct, frozen=True):
    """A request that may change something: what it does, and where it came from.

    `action` is the operation's name, `route` its method and path, without ids. `request_id` is
    empty where the request named none and is not in the log of requests.
    """

    action: str
    route: str
    permission: str
    address: str
    user_agent: str
    request_id: str


class Entry(Struct, frozen=True):
    """What one request changed, as it is handed to the log; its names are those of the columns.

    An entry that `is_of_mode` is of the mode of its transaction, any other of the organisation
    itself. `before` and `after` have the fields that differ, and no secrets.
    """

    id: UUID
    at: datetime
    is_of_mode: bool
    actor_kind: str
    actor_id: str
    actor_name: str
    permission: str
    action: str
    route: str
    resource_type: str
    resource_id: UUID
    before: Fields | None
    after: Fields | None
    address: str
    user_agent: str
    request_id: str


class LoggedEntry(Struct, frozen=True):
    """An entry as it stands in the log.

    `is_test_mode` is None where the organisation itself was changed, and none of its modes.
    `sequence` is its place in the organisation's chain, and `chain_hash` its link.
    """

    sequence: int
    id: UUID
    at: datetime
    is_test_mode: bool | None
    actor_kind: str
    actor_id: str
    actor_name: str
    permission: str
    action: str
    route: str
    resource_type: str
    resource_id: UUID
    before: Fields | None
    after: Fields | None
    address: str
    user_agent: str
    request_id: str
    chain_hash: bytes


class EntryFilter(Struct, frozen=True):
    """Which entries to list; None means any, and `is_of_own_mode` none of the other mode."""

    resource_type: str | None = None
    resource_id: UUID | None = None
    actor_id: str | None = None
    action: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    is_of_own_mode: bool = False


class Place(Struct, frozen=True):
    """A place in the list, behind an entry: when it was made, and its sequence."""

    at: datetime
    sequence: int


class EntryPage(Struct, frozen=True):
    """Some entries, newest first, and the place that the list goes on from, unless it has ended."""

    entries: list[LoggedEntry]
    after: Place | None
