"""Pages of a wallet's transactions: by offset, or by a cursor that stands still as money moves."""

import base64
import struct
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from monigo.core.errors import invalid
from monigo.core.paging import PAGE_LIMIT_MAX, PAGE_OFFSET_MAX, PageRequest

# The contract's. A client that asks for more gets this many, as `limit` in the response shows.
ENTRIES_A_PAGE = 25
ENTRIES_A_PAGE_MAX = 100
CURSOR_LENGTH_MAX = 100

# Whose, and the entry to go on with, by its place in the wallet's chain.
_CURSOR = struct.Struct(">16sQ")

CursorQuery = Annotated[
    str, Query(max_length=CURSOR_LENGTH_MAX, description="a `next_cursor`, instead of an offset")
]


# Async, because FastAPI sends plain functions to a thread.
async def _entry_paging(
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT_MAX, description="at most 100 are given")] = (
        ENTRIES_A_PAGE
    ),
    offset: Annotated[int, Query(ge=0, le=PAGE_OFFSET_MAX)] = 0,
    cursor: CursorQuery = "",
) -> PageRequest:
    if cursor and offset:
        raise invalid({"offset": "can't be combined with a cursor"})
    return PageRequest(min(limit, ENTRIES_A_PAGE_MAX), offset)


EntryPaging = Annotated[PageRequest, Depends(_entry_paging)]


def cursor_text(wallet_id: UUID, last: int) -> str:
    """Leads on to a wallet's entries from the `last`-th downwards; empty where there are none."""
    if last < 1:
        return ""
    return base64.urlsafe_b64encode(_CURSOR.pack(wallet_id.bytes, last)).decode()


def parse_cursor(cursor: str, wallet_id: UUID) -> int | None:
    """The place of the entry that a cursor leads on to; None without a cursor.

    Raises:
        DomainError: invalid, for what is no cursor of this wallet's.
    """
    if not cursor:
        return None
    try:
        owner, last = _CURSOR.unpack(base64.b64decode(cursor, altchars=b"-_", validate=True))
    except (ValueError, struct.error):
        owner, last = b"", 0
    if owner != wallet_id.bytes or last < 1:
        raise invalid({"cursor": "is not from this list"})
    return last
