"""The SQL that reads payout rules, and of events what rules look at."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID

import asyncpg

from monigo.core.expressions import Node, names_in, parse
from monigo.core.ids import CustomerId, MetricId
from monigo.core.periods import Period
from monigo.infra.db import Transaction
from monigo.metering.attribution.types import Rule, Seen

# Hidden rules are worth what happened before they were hidden, which comes in until $3 is past it;
# without $3, those are looked for, too, that nothing new comes in for.
SELECT_RULES = """
    SELECT id, event_name, value_expression, customer_property, filters::text AS filters,
        deleted_at AS ends_at
    FROM metrics
    WHERE org_id = $1 AND is_test = $2 AND customer_property <> ''
        AND ($3::timestamptz IS NULL OR deleted_at IS NULL OR deleted_at > $3)
        AND ($4::uuid IS NULL OR id = $4)
    ORDER BY id
"""

SELECT_NAMES = """
    SELECT DISTINCT event_name FROM usage_events
    WHERE org_id = $1 AND is_test = $2 AND batch_id = ANY ($3::uuid[])
"""

# Property by property, so that nothing else of an event is read, however nested. Few rules name
# more than four, for which a query of its own would be most of what an event costs.
HELD = """
    CASE WHEN cardinality({names}) <= 4 THEN ARRAY[
        event.properties -> ({names})[1], event.properties -> ({names})[2],
        event.properties -> ({names})[3], event.properties -> ({names})[4]
    ] ELSE ARRAY (SELECT event.properties -> name FROM unnest({names}) AS name) END AS held
"""

_SEEN = f"""
    SELECT event.dedup, event.occurred_at, {HELD.format(names="$4::text[]")}
    FROM usage_events AS event
    WHERE event.org_id = $1 AND event.is_test = $2 AND event.event_name = $3
        AND event.occurred_at < coalesce($5::timestamptz, 'infinity')
        AND ($6::jsonb = '[]' OR event_matches(event.properties, $6::jsonb))
"""

SELECT_OF_BATCHES = f"{_SEEN} AND event.batch_id = ANY ($7::uuid[])"

# What waits to be folded stays out: the fold attributes it.
SELECT_OF_CUSTOMERS = f"""
    {_SEEN} AND event.customer_id = ANY ($7::uuid[]) AND event.occurred_at >= $8
        AND event.occurred_at < $9
        AND event.batch_id <> ALL (ARRAY (
            SELECT batch.batch_id FROM unfolded_batches AS batch
            WHERE batch.org_id = $1 AND batch.is_test = $2
        ))
"""

HAS_RULES = """
    SELECT EXISTS (
        SELECT 1 FROM metrics WHERE org_id = $1 AND is_test = $2 AND customer_property <> ''
    )
"""


async def load_rules(
    tx: Transaction, *, ended_after: datetime | None, metric_id: MetricId | None = None
) -> list[Rule]:
    """The payout rules that may look at events; or one of them."""
    return [_rule(row) for row in await tx.fetch(SELECT_RULES, ended_after, metric_id)]


async def has_rules(tx: Transaction) -> bool:
    """Whether the tenant has ever had a payout rule."""
    return await tx.fetchval(HAS_RULES)


async def names_of_batches(tx: Transaction, batch_ids: Sequence[UUID]) -> set[str]:
    """The names of the events of some batches."""
    return {row["event_name"] for row in await tx.fetch(SELECT_NAMES, batch_ids)}


async def events_of_batches(tx: Transaction, rule: Rule, batch_ids: Sequence[UUID]) -> list[Seen]:
    """The events of batches that a rule looks at."""
    rows = await tx.fetch(SELECT_OF_BATCHES, *_rule_arguments(rule), batch_ids)
    return [Seen(row["dedup"], row["occurred_at"], row["held"]) for row in rows]


async def events_of_customers(
    tx: Transaction, rule: Rule, customer_ids: Sequence[CustomerId], hours: Period
) -> list[Seen]:
    """The folded events of customers, in a span, that a rule looks at."""
    rows = await tx.fetch(
        SELECT_OF_CUSTOMERS, *_rule_arguments(rule), customer_ids, hours.start, hours.end
    )
    return [Seen(row["dedup"], row["occurred_at"], row["held"]) for row in rows]


def _rule_arguments(rule: Rule) -> tuple[object, ...]:
    return (rule.event_name, rule.names, rule.ends_at, rule.filters)


def _rule(row: asyncpg.Record) -> Rule:
    tree = _tree(row["value_expression"])
    recipient = row["customer_property"]
    return Rule(
        metric_id=MetricId(row["id"]),
        event_name=row["event_name"],
        names=(recipient, *sorted(names_in(tree) - {recipient})),
        looks_at_recipient=recipient in names_in(tree),
        tree=tree,
        filters=row["filters"],
        ends_at=row["ends_at"],
    )


@lru_cache(maxsize=1_000)
def _tree(expression: str) -> Node:
    return parse(expression)
