"""Which part of a list is asked for, and what is given."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from msgspec import Struct

# The published clients don't page: without a limit they get everything up to this many.
PAGE_LIMIT_MAX = 10_000
# Beyond this, walking the skipped rows costs more than any reader wants to wait.
PAGE_OFFSET_MAX = 10_000_000

Item = TypeVar("Item")


class PageRequest(Struct, frozen=True):
    """Skip `offset` items of a newest-first list, then take at most `limit`."""

    limit: int = PAGE_LIMIT_MAX
    offset: int = 0


class Page(Struct, Generic[Item], frozen=True):
    """A part of a list, and how many items there are in all."""

    items: Sequence[Item]
    total: int
    offset: int

    @property
    def has_more(self) -> bool:
        """Whether items follow after these."""
        return self.offset + len(self.items) < self.total


def page_of(items: Sequence[Item], request: PageRequest) -> Page[Item]:
    """A part of a list that is known as a whole."""
    shown = items[request.offset : request.offset + request.limit]
    return Page(shown, len(items), request.offset)
