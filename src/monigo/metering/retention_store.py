"""The SQL that takes the properties from old events, and remembers how far that has come."""

from collections.abc import Sequence
from datetime import datetime

from monigo.core.ids import CustomerId
from monigo.core.periods import Period
from monigo.infra.database import Transaction

SELECT_RETENTION = """
    SELECT kept_from, blanked_until FROM event_retention WHERE org_id = $1 AND is_test = $2
"""

PROMISE = """
    INSERT INTO event_retention (org_id, is_test, kept_from, blanked_until)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (org_id, is_test)
    DO UPDATE SET kept_from = greatest(event_retention.kept_from, excluded.kept_from)
"""

FULFIL = """
    UPDATE event_retention SET blanked_until = $3
    WHERE org_id = $1 AND is_test = $2 AND blanked_until < $3
"""

SELECT_CUSTOMERS = """
    SELECT id FROM customers
    WHERE org_id = $1 AND is_test = $2 AND ($3::uuid IS NULL OR id > $3)
    ORDER BY id
    LIMIT $4
"""

BLANK = """
    UPDATE usage_events SET properties = '{}'
    WHERE org_id = $1 AND is_test = $2 AND dedup = ANY (ARRAY (
        SELECT event.dedup FROM usage_events AS event
        WHERE event.org_id = $1 AND event.is_test = $2 AND event.customer_id = ANY ($3::uuid[])
            AND event.occurred_at >= $4 AND event.occurred_at < $5 AND event.properties <> '{}'
        LIMIT $6
    ))
"""

HAS_UNFOLDED = """
    SELECT EXISTS (
        SELECT 1 FROM unfolded_batches
        WHERE org_id = $1 AND is_test = $2 AND received_at < $3
    )
"""


async def load(tx: Transaction) -> Period | None:
    """From when on events may, and up to when they do lack their properties; None: never yet."""
    row = await tx.fetchrow(SELECT_RETENTION)
    if row is None or row["blanked_until"] >= row["kept_from"]:
        return None
    return Period(row["blanked_until"], row["kept_from"])


async def load_kept_from(tx: Transaction) -> datetime | None:
    """From when on all events have their properties; None where none ever lost them."""
    row = await tx.fetchrow(SELECT_RETENTION)
    return None if row is None else row["kept_from"]


async def promise(tx: Transaction, kept_from: datetime, *, first: datetime) -> None:
    """Note that older events are about to lose their properties; `first` is the oldest's time."""
    await tx.execute(PROMISE, kept_from, first)


async def fulfil(tx: Transaction, until: datetime) -> None:
    """Note that all older events have lost their properties."""
    await tx.execute(FULFIL, until)


async def list_customers(
    tx: Transaction, *, after: CustomerId | None, limit: int
) -> list[CustomerId]:
    """The next customers, deleted ones included."""
    return [CustomerId(row["id"]) for row in await tx.fetch(SELECT_CUSTOMERS, after, limit)]


async def blank(
    tx: Transaction, customer_ids: Sequence[CustomerId], window: Period, *, limit: int
) -> int:
    """Empty the properties of at most so many events; how many there were."""
    tag = await tx.execute(BLANK, customer_ids, window.start, window.end, limit)
    return int(tag.rpartition(" ")[2])


async def has_unfolded(tx: Transaction, *, received_before: datetime) -> bool:
    """Whether a batch that came in before waits to be folded."""
    return await tx.fetchval(HAS_UNFOLDED, received_before)
