"""The SQL that finds whether a reading misses what redacted events had."""

from collections.abc import Sequence

from monigo.infra.db import Transaction
from monigo.metering.usage.store import ASKED, asked_arguments
from monigo.metering.usage.types import UsageQuery

# Readings of the events themselves, not of buckets, that need more than their number. An event that
# never had properties looks like a redacted one.
MISSES_REDACTED = f"""
    WITH {ASKED}
    SELECT EXISTS (
        SELECT 1 FROM broken
        JOIN usage_events AS event ON event.org_id = $1 AND event.is_test = $2
            AND event.customer_id = broken.customer_id AND event.event_name = broken.event_name
            AND event.occurred_at >= broken.starts_at AND event.occurred_at < broken.ends_at
        WHERE event.properties = '{{}}' AND NOT broken.is_rule
            AND event.occurred_at < (
                SELECT kept_from FROM event_retention WHERE org_id = $1 AND is_test = $2
            )
            AND (
                broken.aggregation <> 'count' OR broken.filters <> '[]' OR broken.group_by <> ''
            )
    )
"""


async def misses_redacted(tx: Transaction, queries: Sequence[UsageQuery]) -> bool:
    """Whether one of these readings needs the properties of a redacted event."""
    arguments = asked_arguments(queries, tx.now)
    return arguments is not None and await tx.fetchval(MISSES_REDACTED, *arguments)
