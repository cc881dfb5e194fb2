"""All SQL of customers."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from monigo.core.errors import conflict
from monigo.core.ids import CustomerId
from monigo.core.paging import Page, PageRequest
from monigo.customers.types import Customer, CustomerDetails
from monigo.infra import json
from monigo.infra.db import RowLock, Transaction, violations_as

COLUMNS = "id, external_id, name, email, phone, metadata, locale, created_at, updated_at"

# A concurrent creation with the same external_id makes this wait, then insert nothing.
INSERT = f"""
    INSERT INTO customers (
        org_id, is_test, id, external_id, name, email, phone, metadata, locale, created_at,
        updated_at
    ) VALUES ($1, $2, $3, nullif($4, ''), $5, $6, $7, $8, $9, $10, $10)
    ON CONFLICT (org_id, is_test, external_id) WHERE deleted_at IS NULL DO NOTHING
    RETURNING {COLUMNS}
"""

SELECT_BY_EXTERNAL_ID = f"""
    SELECT {COLUMNS} FROM customers
    WHERE org_id = $1 AND is_test = $2 AND external_id = $3 AND deleted_at IS NULL
"""

# A UUID is tried as id first; a merchant may also use UUIDs as external ids.
SELECT_BY_REFERENCE = f"""
    SELECT {COLUMNS} FROM customers
    WHERE org_id = $1 AND is_test = $2 AND (id = $3 OR external_id = $4) AND deleted_at IS NULL
    ORDER BY id = $3 DESC
    LIMIT 1
"""

SELECT_PAGE = f"""
    SELECT {COLUMNS} FROM customers
    WHERE org_id = $1 AND is_test = $2 AND deleted_at IS NULL
    ORDER BY created_at DESC, id DESC
    LIMIT $3 OFFSET $4
"""

COUNT = "SELECT count(*) FROM customers WHERE org_id = $1 AND is_test = $2 AND deleted_at IS NULL"

UPDATE = f"""
    UPDATE customers
    SET external_id = nullif($4, ''), name = $5, email = $6, phone = $7, metadata = $8,
        locale = $9, updated_at = $10
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND deleted_at IS NULL
    RETURNING {COLUMNS}
"""

DELETE = """
    UPDATE customers SET deleted_at = $4, updated_at = $4
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND deleted_at IS NULL
"""

NOTE_CHANGE = """
    INSERT INTO customer_changes (org_id, is_test, version) VALUES ($1, $2, 1)
    ON CONFLICT (org_id, is_test) DO UPDATE SET version = customer_changes.version + 1
"""

SELECT_VERSION = "SELECT version FROM customer_changes WHERE org_id = $1 AND is_test = $2"

# In the order of their ids, so that two who lock several wait for each other and don't block.
LOCK = f"""
    SELECT 1 FROM customers
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
    ORDER BY id
    {RowLock.CHANGE}
"""

SELECT_NAMES = """
    SELECT id, name FROM customers
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
"""

RESOLVE = """
    SELECT id, external_id FROM customers
    WHERE org_id = $1 AND is_test = $2 AND deleted_at IS NULL
        AND (id = ANY ($3::uuid[]) OR external_id = ANY ($4::text[]))
"""

SELECT_LIVING = f"""
    SELECT {COLUMNS} FROM customers
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[]) AND deleted_at IS NULL
"""

ERRORS = {
    "customers_external_id_unique": lambda: conflict(
        "customer_exists", "another customer has this external_id"
    ),
}


async def insert(
    tx: Transaction, customer_id: CustomerId, details: CustomerDetails
) -> Customer | None:
    """Store a new customer; None when its external_id is taken."""
    row = await tx.fetchrow(
        INSERT,
        customer_id,
        details.external_id,
        details.name,
        details.email,
        details.phone,
        json.encode(details.metadata),
        details.locale,
        tx.now,
    )
    return None if row is None else _customer(row)


async def load_by_external_id(tx: Transaction, external_id: str) -> Customer | None:
    """The living customer with this external_id."""
    row = await tx.fetchrow(SELECT_BY_EXTERNAL_ID, external_id)
    return None if row is None else _customer(row)


async def load_by_reference(
    tx: Transaction, customer_id: UUID | None, reference: str | None, lock: RowLock
) -> Customer | None:
    """The living customer whose id, or else external_id, this is."""
    row = await tx.fetchrow(f"{SELECT_BY_REFERENCE} {lock}", customer_id, reference)
    return None if row is None else _customer(row)


async def list_page(tx: Transaction, request: PageRequest) -> Page[Customer]:
    """Living customers, newest first."""
    pages = tx.pieces(SELECT_PAGE, request.limit, request.offset)
    found = [_customer(row) async for rows in pages for row in rows]
    return Page(found, await tx.fetchval(COUNT), request.offset)


async def update(
    tx: Transaction, customer_id: CustomerId, details: CustomerDetails
) -> Customer | None:
    """Replace a customer's details."""
    with violations_as(ERRORS):
        row = await tx.fetchrow(
            UPDATE,
            customer_id,
            details.external_id,
            details.name,
            details.email,
            details.phone,
            json.encode(details.metadata),
            details.locale,
            tx.now,
        )
    return None if row is None else _customer(row)


async def lock(tx: Transaction, customer_ids: Sequence[CustomerId]) -> None:
    """Lock customers' rows, deleted or not."""
    await tx.execute(LOCK, customer_ids)


async def load_names(tx: Transaction, customer_ids: Sequence[CustomerId]) -> dict[CustomerId, str]:
    """The names of customers, deleted or not."""
    rows = await tx.fetch(SELECT_NAMES, customer_ids)
    return {CustomerId(row["id"]): row["name"] for row in rows}


async def load_living(
    tx: Transaction, customer_ids: Sequence[CustomerId]
) -> dict[CustomerId, Customer]:
    """Living customers by id; others are absent."""
    rows = await tx.fetch(SELECT_LIVING, customer_ids)
    return {CustomerId(row["id"]): _customer(row) for row in rows}


async def hide(tx: Transaction, customer_id: CustomerId) -> None:
    """Delete softly: history and numbers stay."""
    await tx.execute(DELETE, customer_id, tx.now)
    await note_change(tx)


async def note_change(tx: Transaction) -> None:
    """Count a change after which a reference may mean another customer."""
    await tx.execute(NOTE_CHANGE)


async def load_version(tx: Transaction) -> int:
    """How many such changes there were."""
    return await tx.fetchval(SELECT_VERSION) or 0


async def resolve(
    tx: Transaction, ids: Sequence[UUID], references: Sequence[str]
) -> dict[str, CustomerId]:
    """Living customers by their id's text and by their external_id; ids win."""
    rows = await tx.fetch(RESOLVE, ids, references)
    found = {
        row["external_id"]: CustomerId(row["id"]) for row in rows if row["external_id"] is not None
    }
    found.update({str(row["id"]): CustomerId(row["id"]) for row in rows})
    return found


def _customer(row: asyncpg.Record) -> Customer:
    return Customer(
        id=CustomerId(row["id"]),
        details=CustomerDetails(
            external_id=row["external_id"] or "",
            name=row["name"],
            email=row["email"],
            phone=row["phone"],
            metadata=json.decode(row["metadata"]),
            locale=row["locale"],
        ),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
