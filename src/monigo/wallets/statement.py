"""A wallet's statement: everything that moved its balance, oldest first, as CSV."""

from collections.abc import AsyncIterator

from monigo.core.money import format_money
from monigo.core.times import format_instant
from monigo.infra.csv_text import csv_lines, plain_text
from monigo.infra.db import Database, Tenant
from monigo.wallets import service
from monigo.wallets.types import Entry, Wallet

COLUMNS = (
    "id",
    "transaction_id",
    "created_at",
    "entry_type",
    "direction",
    "amount",
    "currency",
    "balance_before",
    "balance_after",
    "description",
    "reference_type",
    "reference_id",
    "idempotency_key",
)
# Few enough to be read in a moment and to take little memory.
ENTRIES_A_PIECE = 1_000


async def statement_csv(database: Database, tenant: Tenant, wallet: Wallet) -> AsyncIterator[str]:
    """The lines of a CSV file, many at a time, in constant memory; up to the wallet as given."""
    yield csv_lines([COLUMNS])
    for first in range(1, wallet.entries + 1, ENTRIES_A_PIECE):
        last = min(first + ENTRIES_A_PIECE - 1, wallet.entries)
        async with database.transaction(tenant) as tx:
            entries = await service.read_entries(tx, wallet, first=first, last=last)
        yield csv_lines(_row(entry) for entry in reversed(entries))


def _row(entry: Entry) -> tuple[str, ...]:
    return (
        str(entry.id),
        str(entry.transaction_id),
        format_instant(entry.created_at),
        entry.entry_type.value,
        entry.direction.value,
        format_money(entry.amount),
        entry.currency,
        format_money(entry.balance_before),
        format_money(entry.balance_after),
        plain_text(entry.description),
        plain_text(entry.reference_type),
        plain_text(entry.reference_id),
        plain_text(entry.idempotency_key),
    )
