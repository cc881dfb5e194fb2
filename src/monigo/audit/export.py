"""The log as CSV, for auditors and their spreadsheets."""

from collections.abc import AsyncIterator

from monigo.audit.service import stream_entries
from monigo.audit.types import EntryFilter, Fields, LoggedEntry
from monigo.core.times import format_instant
from monigo.infra import json
from monigo.infra.csv_text import csv_lines, plain_text
from monigo.infra.db import Database, Tenant

COLUMNS = (
    "sequence",
    "id",
    "created_at",
    "is_test",
    "actor_type",
    "actor_id",
    "actor_name",
    "permission",
    "action",
    "route",
    "resource_type",
    "resource_id",
    "before",
    "after",
    "ip_address",
    "user_agent",
    "request_id",
    "chain_hash",
)


async def export_csv(database: Database, tenant: Tenant, wanted: EntryFilter) -> AsyncIterator[str]:
    """The lines of a CSV file, newest first, many at a time, in constant memory."""
    yield csv_lines([COLUMNS])
    async for entries in stream_entries(database, tenant, wanted):
        yield csv_lines([_row(entry) for entry in entries])


def _row(entry: LoggedEntry) -> tuple[str, ...]:
    is_test = "" if entry.is_test_mode is None else str(entry.is_test_mode).lower()
    return (
        str(entry.sequence),
        str(entry.id),
        format_instant(entry.at),
        is_test,
        entry.actor_kind,
        plain_text(entry.actor_id),
        plain_text(entry.actor_name),
        entry.permission,
        entry.action,
        entry.route,
        entry.resource_type,
        str(entry.resource_id),
        _text(entry.before),
        _text(entry.after),
        entry.address,
        plain_text(entry.user_agent),
        plain_text(entry.request_id),
        entry.chain_hash.hex(),
    )


def _text(fields: Fields | None) -> str:
    return "" if fields is None else json.encode(fields)
