"""All SQL of price overrides."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

import asyncpg

from monigo.catalog.overrides.types import OverrideFilter, OverrideTerms, PriceOverride
from monigo.core.errors import DomainError, conflict
from monigo.core.ids import CustomerId, PriceId, PriceOverrideId
from monigo.core.paging import Page, PageRequest
from monigo.core.pricing import parse_price_model, price_model_json
from monigo.infra import json
from monigo.infra.db import RowLock, Transaction, violations_as

OVERRIDE_COLUMNS = """
    id, customer_id, price_id, model, unit_price, tiers, valid_from, valid_until, created_at,
    updated_at
"""

INSERT_OVERRIDE = f"""
    INSERT INTO price_overrides (
        org_id, is_test, id, customer_id, price_id, model, unit_price, tiers, valid_from,
        valid_until, created_at, updated_at
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
    RETURNING {OVERRIDE_COLUMNS}
"""

UPDATE_OVERRIDE = f"""
    UPDATE price_overrides
    SET model = $4, unit_price = $5, tiers = $6, valid_from = $7, valid_until = $8, updated_at = $9
    WHERE org_id = $1 AND is_test = $2 AND id = $3
    RETURNING {OVERRIDE_COLUMNS}
"""

DELETE_OVERRIDE = """
    UPDATE price_overrides SET deleted_at = $4, updated_at = $4
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

SELECT_OVERRIDE = f"""
    SELECT {OVERRIDE_COLUMNS} FROM price_overrides
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND deleted_at IS NULL
"""

SELECT_OVERLAPPING = """
    SELECT id FROM price_overrides
    WHERE org_id = $1 AND is_test = $2 AND customer_id = $3 AND price_id = $4
        AND deleted_at IS NULL AND id <> $5
        AND tstzrange(valid_from, valid_until) && tstzrange($6, $7)
    ORDER BY valid_from LIMIT 1
"""

LISTED = """
    FROM price_overrides
    WHERE org_id = $1 AND is_test = $2 AND deleted_at IS NULL
        AND ($3::uuid IS NULL OR customer_id = $3) AND ($4::uuid IS NULL OR price_id = $4)
"""

SELECT_OVERRIDE_PAGE = f"""
    SELECT {OVERRIDE_COLUMNS} {LISTED}
    ORDER BY created_at DESC, id DESC
    LIMIT $5 OFFSET $6
"""

COUNT_OVERRIDES = f"SELECT count(*) {LISTED}"

SELECT_OVERRIDES_OF = f"""
    SELECT {OVERRIDE_COLUMNS} FROM price_overrides
    WHERE org_id = $1 AND is_test = $2 AND customer_id = ANY ($3::uuid[]) AND deleted_at IS NULL
    ORDER BY customer_id, price_id, valid_from
"""

SELECT_PRICES_WITH_PERCENTAGE = """
    SELECT DISTINCT price_id FROM price_overrides
    WHERE org_id = $1 AND is_test = $2 AND price_id = ANY ($3::uuid[])
        AND model = 'percentage' AND deleted_at IS NULL
"""


async def insert(
    tx: Transaction,
    override_id: PriceOverrideId,
    customer_id: CustomerId,
    price_id: PriceId,
    terms: OverrideTerms,
) -> PriceOverride:
    """Store a new override. Raises conflict where another one holds at some of the same time."""
    with violations_as({"price_overrides_never_overlap": overlapping}):
        row = await tx.fetchrow(
            INSERT_OVERRIDE, override_id, customer_id, price_id, *_arguments(terms), tx.now
        )
    return _override(_present(row))


async def update(
    tx: Transaction, override_id: PriceOverrideId, terms: OverrideTerms
) -> PriceOverride:
    """Replace a locked override's terms. Raises conflict as `insert` does."""
    with violations_as({"price_overrides_never_overlap": overlapping}):
        row = await tx.fetchrow(UPDATE_OVERRIDE, override_id, *_arguments(terms), tx.now)
    return _override(_present(row))


async def hide(tx: Transaction, override_id: PriceOverrideId) -> None:
    """Delete softly."""
    await tx.execute(DELETE_OVERRIDE, override_id, tx.now)


async def load(
    tx: Transaction, override_id: UUID, lock: RowLock = RowLock.NONE
) -> PriceOverride | None:
    """One override."""
    row = await tx.fetchrow(f"{SELECT_OVERRIDE} {lock}", override_id)
    return None if row is None else _override(row)


async def find_overlapping(
    tx: Transaction,
    override_id: PriceOverrideId,
    customer_id: CustomerId,
    price_id: PriceId,
    terms: OverrideTerms,
) -> UUID | None:
    """Another override of the customer and price that holds at some of the same time."""
    return await tx.fetchval(
        SELECT_OVERLAPPING,
        customer_id,
        price_id,
        override_id,
        terms.valid_from,
        terms.valid_until,
    )


async def list_page(
    tx: Transaction, request: PageRequest, wanted: OverrideFilter
) -> Page[PriceOverride]:
    """Living overrides, newest first."""
    asked = (wanted.customer_id, wanted.price_id)
    pages = tx.pieces(SELECT_OVERRIDE_PAGE, *asked, request.limit, request.offset)
    found = [_override(row) async for rows in pages for row in rows]
    total = await tx.fetchval(COUNT_OVERRIDES, *asked)
    return Page(found, total, request.offset)


async def load_of_customers(
    tx: Transaction, customer_ids: Sequence[CustomerId]
) -> list[PriceOverride]:
    """The living overrides of these customers."""
    return [_override(row) for row in await tx.fetch(SELECT_OVERRIDES_OF, customer_ids)]


async def prices_with_percentage(tx: Transaction, price_ids: Sequence[PriceId]) -> set[PriceId]:
    """Those of the prices of which a living override takes a percentage."""
    if not price_ids:
        return set()
    rows = await tx.fetch(SELECT_PRICES_WITH_PERCENTAGE, price_ids)
    return {PriceId(row["price_id"]) for row in rows}


def overlapping() -> DomainError:
    """What refuses a second override for the same time."""
    return conflict(
        "override_overlaps", "another override of this price and customer holds at the same time"
    )


def _present(row: asyncpg.Record | None) -> asyncpg.Record:
    if row is None:
        raise AssertionError("an INSERT or UPDATE by key returns its row")
    return row


def _arguments(terms: OverrideTerms) -> tuple[object, ...]:
    unit_price, tiers = price_model_json(terms.model)
    return (
        terms.model_name,
        None if unit_price is None else Decimal(unit_price),
        None if tiers is None else json.encode(tiers),
        terms.valid_from,
        terms.valid_until,
    )


def _override(row: asyncpg.Record) -> PriceOverride:
    model = parse_price_model(
        model=row["model"],
        unit_price=row["unit_price"],
        tiers=None if row["tiers"] is None else json.decode(row["tiers"]),
        path="price_override",
    )
    return PriceOverride(
        id=PriceOverrideId(row["id"]),
        customer_id=CustomerId(row["customer_id"]),
        price_id=PriceId(row["price_id"]),
        model=model,
        model_name=row["model"],
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
