"""`limit` and `offset` in, `count`, `total` and `has_more` out."""

from typing import Annotated, Any

from fastapi import Depends, Query

from monigo.core.paging import PAGE_LIMIT_MAX, PAGE_OFFSET_MAX, Page, PageRequest


# Async, because FastAPI sends plain functions to a thread.
async def _page_request(
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT_MAX)] = PAGE_LIMIT_MAX,
    offset: Annotated[int, Query(ge=0, le=PAGE_OFFSET_MAX)] = 0,
) -> PageRequest:
    return PageRequest(limit, offset)


Paging = Annotated[PageRequest, Depends(_page_request)]


def counts(page: Page[Any]) -> dict[str, Any]:
    """The fields of a ListEnvelope."""
    return {"count": len(page.items), "total": page.total, "has_more": page.has_more}
