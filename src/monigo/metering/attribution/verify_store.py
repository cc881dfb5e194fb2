"""The SQL that sets what events hold beside what is stored of their worth by a rule."""

from collections.abc import AsyncGenerator

import asyncpg
from msgspec import Struct

from monigo.infra.db import Transaction
from monigo.metering.attribution.store import HELD
from monigo.metering.attribution.types import Rule, Seen

# From where on a rule has looked at all events, and the events have their properties.
_WHOLE = """
    greatest(
        (SELECT rollups_from FROM metrics WHERE org_id = $1 AND is_test = $2 AND id = $3),
        coalesce((
            SELECT kept_from FROM event_retention WHERE org_id = $1 AND is_test = $2
        ), '-infinity')
    )
"""

# Folded events that a rule looks at, and what is stored of them, on either side maybe nothing.
SELECT_BOTH = f"""
    SELECT coalesce(event.dedup, worth.dedup) AS dedup, event.occurred_at, event.held,
        event.dedup IS NOT NULL AS is_seen, worth.dedup IS NOT NULL AS is_stored, worth.amount,
        worth.fault
    FROM (
        SELECT event.dedup, event.occurred_at, {HELD.format(names="$5::text[]")}
        FROM usage_events AS event
        WHERE event.org_id = $1 AND event.is_test = $2 AND event.event_name = $4
            AND event.occurred_at >= {_WHOLE}
            AND ($6::jsonb = '[]' OR event_matches(event.properties, $6::jsonb))
            AND event.batch_id <> ALL (ARRAY (
                SELECT batch.batch_id FROM unfolded_batches AS batch
                WHERE batch.org_id = $1 AND batch.is_test = $2
            ))
    ) AS event
    FULL JOIN (
        SELECT dedup, amount, fault FROM attributed_amounts
        WHERE org_id = $1 AND is_test = $2 AND metric_id = $3 AND occurred_at >= {_WHOLE}
    ) AS worth ON worth.dedup = event.dedup
"""

COUNT = "SELECT count(*) FROM attributed_amounts WHERE org_id = $1 AND is_test = $2"


class Both(Struct, frozen=True):
    """An event as a rule sees it, if it does, and the amount and fault that are stored, if any."""

    seen: Seen | None
    stored: tuple[object, str] | None
    dedup: str


async def read_both(tx: Transaction, rule: Rule) -> AsyncGenerator[list[Both]]:
    """All that a rule looks at or has stored, a few rows at a time."""
    asked = (rule.metric_id, rule.event_name, rule.names, rule.filters)
    async for rows in tx.pieces(SELECT_BOTH, *asked):
        yield [_both(row) for row in rows]


async def count(tx: Transaction) -> int:
    """How many amounts are stored."""
    return await tx.fetchval(COUNT)


def _both(row: asyncpg.Record) -> Both:
    seen = Seen(row["dedup"], row["occurred_at"], row["held"]) if row["is_seen"] else None
    stored = (row["amount"], row["fault"]) if row["is_stored"] else None
    return Both(seen, stored, str(row["dedup"]))
