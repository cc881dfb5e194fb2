"""The SQL that finds what payout rules came to that no bill has."""

from datetime import datetime
from uuid import UUID

import asyncpg

from monigo.core.ids import CustomerId, MetricId, PlanId, PriceId
from monigo.core.paging import Page, PageRequest
from monigo.infra.db import Transaction
from monigo.subscriptions.types import FOREVER
from monigo.subscriptions.unmatched.types import Unmatched, UnmatchedReason

# As with the time before a subscription, one that ended before it was to be billed had no more than
# its trial, which is paid to nobody. Rules that were edited since are left out: the same events are
# listed under what they say now. Customers are gone through one by one, each by its index; OFFSET 0
# keeps the planner to it.
SELECT_UNMATCHED = """
    WITH found AS (
        SELECT metric_id, recipient, customer_id, dedup, occurred_at, amount,
            CASE WHEN fault <> '' THEN fault ELSE 'unknown_recipient' END AS reason
        FROM attributed_amounts
        WHERE org_id = $1 AND is_test = $2 AND occurred_at >= $3
            AND (fault <> '' OR customer_id IS NULL)
        UNION ALL
        SELECT worth.metric_id, '', customer.id, worth.dedup, worth.occurred_at, worth.amount,
            'no_subscription'
        FROM customers AS customer
        CROSS JOIN LATERAL (
            SELECT max(coalesce(canceled_at, $4)) FILTER (
                    WHERE coalesce(canceled_at, $4) > greatest(start_date, trial_ends_at)
                ) AS ended_at,
                range_agg(tstzrange(start_date, canceled_at)) FILTER (
                    WHERE start_date < canceled_at AND canceled_at <= trial_ends_at
                ) AS tried
            FROM subscriptions
            WHERE org_id = $1 AND is_test = $2 AND customer_id = customer.id
                AND plan_type = 'payout'
            OFFSET 0
        ) AS paid
        CROSS JOIN LATERAL (
            SELECT metric_id, dedup, occurred_at, amount FROM attributed_amounts
            WHERE org_id = $1 AND is_test = $2 AND customer_id = customer.id
                AND occurred_at >= greatest($3, paid.ended_at) AND fault = ''
                AND (paid.tried IS NULL OR NOT paid.tried @> occurred_at)
            OFFSET 0
        ) AS worth
        WHERE customer.org_id = $1 AND customer.is_test = $2
    ),
    summed AS (
        SELECT metric_id, reason, recipient, customer_id, count(*) AS event_count,
            coalesce(sum(amount), 0) AS amount, min(occurred_at) AS first_event_at,
            max(occurred_at) AS last_event_at,
            (array_agg(dedup ORDER BY occurred_at DESC, dedup))[1] AS last_dedup
        FROM found
        GROUP BY metric_id, reason, recipient, customer_id
    )
    SELECT rule.price_id, rule.plan_id, summed.metric_id, summed.reason, summed.recipient,
        summed.customer_id, rule.currency, summed.amount, summed.event_count,
        summed.first_event_at, summed.last_event_at, event.idempotency_key AS last_event_key,
        count(*) OVER () AS total
    FROM summed
    JOIN metrics AS metric ON metric.org_id = $1 AND metric.is_test = $2
        AND metric.id = summed.metric_id AND metric.deleted_at IS NULL
    CROSS JOIN LATERAL (
        SELECT revision.price_id, revision.plan_id, plans.currency
        FROM price_revisions AS revision
        JOIN plans ON plans.org_id = $1 AND plans.is_test = $2 AND plans.id = revision.plan_id
        WHERE revision.org_id = $1 AND revision.is_test = $2
            AND revision.metric_id = summed.metric_id
        LIMIT 1
    ) AS rule
    JOIN usage_events AS event ON event.org_id = $1 AND event.is_test = $2
        AND event.dedup = summed.last_dedup
    ORDER BY summed.last_event_at DESC, summed.metric_id, summed.reason, summed.recipient,
        summed.customer_id
    LIMIT $5 OFFSET $6
"""


async def list_page(tx: Transaction, request: PageRequest, *, since: datetime) -> Page[Unmatched]:
    """Sums by rule, reason and recipient, the latest event first."""
    rows = await tx.fetch(SELECT_UNMATCHED, since, FOREVER, request.limit, request.offset)
    total = rows[0]["total"] if rows else request.offset
    return Page([_unmatched(row) for row in rows], total, request.offset)


def _unmatched(row: asyncpg.Record) -> Unmatched:
    customer_id: UUID | None = row["customer_id"]
    return Unmatched(
        rule_id=PriceId(row["price_id"]),
        plan_id=PlanId(row["plan_id"]),
        metric_id=MetricId(row["metric_id"]),
        reason=UnmatchedReason(row["reason"]),
        recipient=row["recipient"],
        customer_id=None if customer_id is None else CustomerId(customer_id),
        currency=row["currency"],
        amount=row["amount"],
        event_count=row["event_count"],
        first_event_at=row["first_event_at"],
        last_event_at=row["last_event_at"],
        last_event_key=row["last_event_key"],
    )
