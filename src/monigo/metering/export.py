"""Events as CSV, for spreadsheets and other programs."""

import csv
import io
from collections.abc import AsyncIterator

from monigo.core.times import format_instant
from monigo.infra.database import Database, Tenant
from monigo.metering.explorer import stream_events
from monigo.metering.explorer_store import Walk
from monigo.metering.types import StoredEvent

COLUMNS = (
    "id",
    "idempotency_key",
    "customer_id",
    "event_name",
    "timestamp",
    "received_at",
    "is_test",
    "properties",
)
# What makes a spreadsheet take text for a formula, which could send its neighbours elsewhere.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


async def export_csv(database: Database, tenant: Tenant, walk: Walk | None) -> AsyncIterator[str]:
    """The lines of a CSV file, many at a time, in constant memory; only the head without a walk."""
    yield _lines([COLUMNS])
    if walk is None:
        return
    async for events in stream_events(database, tenant, walk):
        yield _lines([_row(tenant, event) for event in events])


def _row(tenant: Tenant, event: StoredEvent) -> tuple[str, ...]:
    return (
        str(event.id),
        plain_text(event.idempotency_key),
        str(event.customer_id),
        plain_text(event.event_name),
        format_instant(event.occurred_at),
        format_instant(event.received_at),
        "true" if tenant.is_test else "false",
        event.properties,
    )


def plain_text(text: str) -> str:
    """Text that no spreadsheet takes for a formula: what looks like one gets an apostrophe."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _lines(rows: list[tuple[str, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
