"""Ranges that reach back from now: `range` in a query."""

import re
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Query

from monigo import tenancy
from monigo.api.kernel.wire.incoming import Name
from monigo.core.errors import invalid
from monigo.core.periods import midnight_days_ago, midnight_months_ago
from monigo.infra.db import Transaction

_DAYS_BACK = re.compile(r"([1-9][0-9]{0,4})d", re.ASCII)
_WHOLE_DAYS_BACK = {"today": 0, "week": 7}
_MONTHS_BACK = {"month": 1, "3months": 3}

DayRange = Annotated[
    Name,
    Query(
        alias="range",
        description="whole days of the organisation's zone, today's included: today, or back to"
        " this day a week, a month or 3months ago, or by a number, as 7d; or all",
    ),
]
Range = Annotated[
    Name,
    Query(
        alias="range",
        description="days back, as 7d; or from the midnight (the organisation's) of today, or of"
        " this day a week, a month or 3months ago; or all",
    ),
]


async def range_start(tx: Transaction, span: str) -> datetime | None:
    """Where a range that reaches back from now begins; None for all.

    Raises:
        DomainError: invalid, naming the range.
    """
    if span in {"", "all"}:
        return None
    days = _DAYS_BACK.fullmatch(span)
    if days is not None:
        return tx.now - timedelta(days=int(days[1]))
    return await _midnight_of(tx, span)


async def first_midnight(tx: Transaction, span: str) -> datetime | None:
    """As `range_start`, but a number of days goes back to a midnight, too.

    Raises:
        DomainError: invalid, naming the range.
    """
    if span in {"", "all"}:
        return None
    days = _DAYS_BACK.fullmatch(span)
    if days is None:
        return await _midnight_of(tx, span)
    zone = (await tenancy.get_organization(tx)).billing.timezone
    return midnight_days_ago(tx.now, int(days[1]), zone)


async def _midnight_of(tx: Transaction, span: str) -> datetime:
    if span not in _WHOLE_DAYS_BACK | _MONTHS_BACK:
        raise invalid(
            {"range": "must be today, week, month, 3months, a number of days such as 30d, or all"}
        )
    zone = (await tenancy.get_organization(tx)).billing.timezone
    if span in _WHOLE_DAYS_BACK:
        return midnight_days_ago(tx.now, _WHOLE_DAYS_BACK[span], zone)
    return midnight_months_ago(tx.now, _MONTHS_BACK[span], zone)
