"""Events as CSV, for spreadsheets and other programs."""

from collections.abc import AsyncIterator

from monigo.core.times import format_instant
from monigo.infra.csv_text import csv_lines, plain_text
from monigo.infra.db import Database, Tenant
from monigo.metering.explorer.service import stream_events
from monigo.metering.explorer.store import Walk
from monigo.metering.explorer.types import StoredEvent

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


async def export_csv(database: Database, tenant: Tenant, walk: Walk | None) -> AsyncIterator[str]:
    """The lines of a CSV file, many at a time, in constant memory; only the head without a walk."""
    yield csv_lines([COLUMNS])
    if walk is None:
        return
    async for events in stream_events(database, tenant, walk):
        yield csv_lines([_row(tenant, event) for event in events])


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
