"""Use cases of payees' statements."""

from collections.abc import AsyncIterator
from datetime import date, datetime
from uuid import UUID

import asyncpg

from monigo import invoicing, tenancy
from monigo.catalog import PlanType
from monigo.core.ids import CustomerId
from monigo.core.money import format_money
from monigo.core.paging import Page, PageRequest
from monigo.core.periods import Period, local_day, midnight
from monigo.core.times import format_instant
from monigo.infra.csv_text import csv_lines, plain_text
from monigo.infra.db import Database, Tenant, Transaction
from monigo.payouts.statements import store
from monigo.payouts.statements.types import WithheldTax

COLUMNS = (
    "id",
    "created_at",
    "entry_type",
    "bill",
    "reference",
    "provider",
    "session_id",
    "account",
    "amount",
    "currency",
    "owed_after",
)
# Few enough to be read in a moment and to take little memory.
ENTRIES_A_PIECE = 1_000


async def statement_csv(
    database: Database, tenant: Tenant, customer_id: CustomerId
) -> AsyncIterator[str]:
    """The lines of a CSV file, many at a time: what made a payee be owed more or less."""
    yield csv_lines([COLUMNS])
    after: tuple[datetime, UUID] | None = None
    while True:
        async with database.transaction(tenant) as tx:
            rows = await store.load_piece(tx, customer_id, after, ENTRIES_A_PIECE)
        yield csv_lines(_row(row) for row in rows)
        if len(rows) < ENTRIES_A_PIECE:
            return
        after = rows[-1]["created_at"], rows[-1]["id"]


def _row(row: asyncpg.Record) -> tuple[str, ...]:
    return (
        str(row["id"]),
        format_instant(row["created_at"]),
        row["entry_type"],
        invoicing.invoice_number(row["number"], PlanType.PAYOUT),
        row["reference"] or "",
        row["provider"] or "",
        plain_text(row["rail_id"] or ""),
        f"******{row['last4']}" if row["last4"] else "",
        format_money(row["change"]),
        row["currency"],
        format_money(row["owed"]),
    )


async def list_withheld(
    tx: Transaction, year: int | None, request: PageRequest
) -> Page[WithheldTax]:
    """What was withheld in a year of the organisation's zone, by payee; None is the present one."""
    timezone = (await tenancy.get_organization(tx)).billing.timezone
    wanted = year or local_day(tx.now, timezone).year
    span = Period(
        midnight(date(wanted, 1, 1), timezone), midnight(date(wanted + 1, 1, 1), timezone)
    )
    return await store.list_withheld(tx, span, request)
