"""The SQL that opens a transaction to people's tables, and to another organisation of a person."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from msgspec.structs import replace

from monigo.infra.db import Tenant, Transaction

SEE_PEOPLE = "SET LOCAL app.people = 'on'"
LOCK_NAME = "SELECT pg_advisory_xact_lock(hashtextextended('people ' || $1, 0))"


async def see_people(tx: Transaction) -> None:
    """Show people's tables to a transaction, until it ends."""
    await tx.connection.execute(SEE_PEOPLE)


async def lock_name(tx: Transaction, name: str) -> None:
    """Have all else that goes by a name (an e-mail, say) wait until the transaction ends."""
    await tx.connection.execute(LOCK_NAME, name)


@asynccontextmanager
async def bound_to(tx: Transaction, tenant: Tenant) -> AsyncGenerator[Transaction]:
    """The same transaction, which sees this tenant's rows inside the block."""
    await _bind(tx, tenant)
    yield replace(tx, tenant=tenant)
    await _bind(tx, tx.tenant)  # Not after a failure, which ends the transaction.


async def _bind(tx: Transaction, tenant: Tenant) -> None:
    mode = "true" if tenant.is_test else "false"
    await tx.connection.execute(
        f"SET LOCAL app.org_id = '{tenant.org_id}'; SET LOCAL app.is_test = '{mode}'"
    )
