"""What all CSV exports share: how they are sent, documented, and limited to a range."""

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import StreamingResponse

from monigo import tenancy
from monigo.api.kernel.wire.incoming import Name
from monigo.core.errors import invalid
from monigo.core.periods import midnight_days_ago, midnight_months_ago
from monigo.infra.csv_text import BYTE_ORDER_MARK
from monigo.infra.db import Transaction

# Documents what a route answers with; errors stay JSON.
CSV_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}}
}

_DAYS_BACK = re.compile(r"([1-9][0-9]{0,4})d", re.ASCII)
_WHOLE_DAYS_BACK = {"today": 0, "week": 7}
_MONTHS_BACK = {"month": 1, "3months": 3}

Range = Annotated[
    Name,
    Query(
        alias="range",
        description="days back, as 7d; or from the midnight (the organisation's) of today, or of"
        " this day a week, a month or 3months ago; or all",
    ),
]
Marked = Annotated[
    bool, Query(alias="bom", description="begin with a byte order mark, which Excel needs")
]


class CsvStream(StreamingResponse):
    """CSV, sent while it is read, which browsers save under a name."""

    media_type = "text/csv"

    def __init__(self, lines: AsyncIterator[str], *, name: str, is_marked: bool) -> None:
        content = _marked(lines) if is_marked else lines
        headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
        super().__init__(content, headers=headers)


async def _marked(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    yield BYTE_ORDER_MARK
    async for text in lines:
        yield text


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
    if span not in _WHOLE_DAYS_BACK | _MONTHS_BACK:
        raise invalid(
            {"range": "must be today, week, month, 3months, a number of days such as 30d, or all"}
        )
    zone = (await tenancy.get_organization(tx)).billing.timezone
    if span in _WHOLE_DAYS_BACK:
        return midnight_days_ago(tx.now, _WHOLE_DAYS_BACK[span], zone)
    return midnight_months_ago(tx.now, _MONTHS_BACK[span], zone)
