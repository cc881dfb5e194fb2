"""Pages of the portal: `page` from 1 and `limit` in, the number of all rows out."""

from typing import Annotated, Any

from fastapi import Depends, Query
from msgspec import Meta

from monigo.api.kernel.wire.outgoing import Outgoing
from monigo.core.paging import PAGE_OFFSET_MAX, Page, PageRequest

ROWS_A_PAGE = 20
ROWS_A_PAGE_MAX = 100


# Async, because FastAPI sends plain functions to a thread.
async def _paging(
    page: Annotated[int, Query(ge=1, le=PAGE_OFFSET_MAX // ROWS_A_PAGE_MAX)] = 1,
    limit: Annotated[int, Query(ge=1, le=ROWS_A_PAGE_MAX)] = ROWS_A_PAGE,
) -> PageRequest:
    return PageRequest(limit, (page - 1) * limit)


PortalPaging = Annotated[PageRequest, Depends(_paging)]


class PortalList(Outgoing, frozen=True):
    """The field of every list of the portal beside its items."""

    count: Annotated[int, Meta(description="rows in all")]


def head_of(page: Page[Any]) -> dict[str, int]:
    """The fields of a `PortalList`."""
    return {"count": page.total}
