"""Use cases of metering: measure usage, and fold what came in."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime

from monigo.core.ids import CustomerId, MetricId
from monigo.core.periods import Period
from monigo.infra.db import Transaction
from monigo.metering.usage import activity_store, late_store, redacted_store, store
from monigo.metering.usage.types import CustomerActivity, LateQuery, Usage, UsageQuery


async def measure(tx: Transaction, queries: Sequence[UsageQuery]) -> list[Usage]:
    """The usage behind each query, in their order, all read from one snapshot.

    Exact at any moment: what is acknowledged counts, whether folded or not.
    """
    return await store.measure(tx, queries) if queries else []


async def late_from(tx: Transaction, queries: Sequence[LateQuery]) -> list[datetime | None]:
    """For each question the earliest event that may have come late; None where none can have.

    The instant may be too early, never too late: periods from it on are measured again.
    """
    return await late_store.late_from(tx, queries)


def list_activity(
    tx: Transaction,
    *,
    span: Period,
    metric_ids: Sequence[MetricId],
    customer_id: CustomerId | None,
    limit: int,
) -> AsyncGenerator[list[CustomerActivity]]:
    """Who may have had events counted by these metrics in a span, at most `limit` pairs.

    They come a few at a time, as the database finds them.
    """
    return activity_store.list_activity(
        tx, span=span, metric_ids=metric_ids, customer_id=customer_id, limit=limit
    )


async def misses_redacted_events(tx: Transaction, queries: Sequence[UsageQuery]) -> bool:
    """Whether these readings miss what redacted events had.

    Whole hours are read from their buckets and miss nothing, nor does a plain count. Ask after a
    reading: what is redacted meanwhile is seen.
    """
    return await redacted_store.misses_redacted(tx, queries)
