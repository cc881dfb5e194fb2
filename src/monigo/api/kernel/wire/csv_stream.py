"""What all CSV exports share: how they are sent and documented."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import StreamingResponse

from monigo.infra.csv_text import BYTE_ORDER_MARK

# Documents what a route answers with; errors stay JSON.
CSV_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}}
}

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
