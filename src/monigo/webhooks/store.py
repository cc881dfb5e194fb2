"""All SQL of billing events: the published ones of the outbox's facts are read where they are."""

from collections.abc import AsyncGenerator, Mapping

from monigo.core.paging import Page, PageRequest
from monigo.infra.db import Transaction
from monigo.infra.outbox import Fact, Recorded, recorded_of

MATCHING = """
    FROM outbox_facts
    WHERE org_id = $1 AND is_test = $2 AND published_as IS NOT NULL
        AND ($3::text IS NULL OR published_as = $3)
"""

# Ids rise with time.
SELECT_PUBLISHED = f"""
    SELECT id, position, type, payload::text AS payload, actor, occurred_at
    {MATCHING}
    ORDER BY id DESC
    LIMIT $4 OFFSET $5
"""

COUNT_PUBLISHED = f"SELECT count(*) {MATCHING}"

SELECT_OF_TYPES = """
    SELECT id, position, type, payload::text AS payload, actor, occurred_at, published_as
    FROM outbox_facts
    WHERE org_id = $1 AND is_test = $2 AND type = ANY ($3::text[])
    ORDER BY subject_id, position
"""


async def load_page(
    tx: Transaction, types: Mapping[str, type[Fact]], request: PageRequest, name: str | None
) -> Page[Recorded]:
    """Published facts, all or those of a name, newest first."""
    found = [
        recorded_of(row, types[row["type"]])
        async for rows in tx.pieces(SELECT_PUBLISHED, name, request.limit, request.offset)
        for row in rows
    ]
    return Page(found, await tx.fetchval(COUNT_PUBLISHED, name), request.offset)


async def names_of(
    tx: Transaction, types: Mapping[str, type[Fact]]
) -> AsyncGenerator[tuple[Recorded, str | None]]:
    """All facts of these types, with the names under which they are published, if they are."""
    async for rows in tx.pieces(SELECT_OF_TYPES, list(types)):
        for row in rows:
            yield recorded_of(row, types[row["type"]]), row["published_as"]
