"""What all CSV exports share: how they are sent, documented, and limited to a range."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import StreamingResponse

from monigo.api.fields import Name
from monigo.core.errors import invalid
from monigo.infra.database import Transaction

# Documents what a route answers with; errors stay JSON.
CSV_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}}
}

_RANGE = re.compile(r"([1-9][0-9]{0,4})d", re.ASCII)

Range = Annotated[Name, Query(alias="range", description="days back, as 7d, or all")]


class CsvStream(StreamingResponse):
    """CSV, sent while it is read."""

    media_type = "text/csv"


def attachment(name: str) -> dict[str, str]:
    """Headers that have a browser save the answer under a name."""
    return {"Content-Disposition": f'attachment; filename="{name}.csv"'}


def range_start(tx: Transaction, span: str) -> datetime | None:
    """Where a range that reaches back from now begins; None for all.

    Raises:
        DomainError: invalid, naming the range.
    """
    if span in {"", "all"}:
        return None
    found = _RANGE.fullmatch(span)
    if found is None:
        raise invalid({"range": "must be a number of days such as 30d, or all"})
    return tx.now - timedelta(days=int(found[1]))
