"""Days in place of times: 2026-01-31 is the midnight that begins it in the organisation's zone."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from datetime import date, datetime

from starlette.responses import Response

from monigo import tenancy
from monigo.core.periods import midnight
from monigo.infra.db import Transaction

# A day that means "not set": Go's zero time.
_ZERO_DAY = date(1, 1, 1)

# Fields are read by functions that do not know the request; this gives them the time zone.
_zone: ContextVar[str | None] = ContextVar("organization_zone", default=None)


class _ZoneUnknownError(Exception):
    """A day was read before the organisation's zone was known."""


def day_start(day: date) -> datetime | None:
    """The midnight of a day that a request names; None for the zero day.

    Raises:
        ValueError: outside the years 1 to 9999 in UTC.
    """
    if day == _ZERO_DAY:
        return None
    zone = _zone.get()
    if zone is None:
        raise _ZoneUnknownError
    return midnight(day, zone)


async def with_local_days(tx: Transaction, handle: Callable[[], Awaitable[Response]]) -> Response:
    """Answer a request, knowing the organisation's zone if the request names a day.

    Few do, so that the zone is loaded when the first day is met. All of a request's fields are
    read before anything is done, which is why it can be read again.
    """
    token = _zone.set(None)
    try:
        try:
            return await handle()
        except _ZoneUnknownError:
            _zone.set((await tenancy.get_organization(tx)).billing.timezone)
            return await handle()
    finally:
        _zone.reset(token)
