"""The SQL of what has been billed already: sums by price, closed periods, credits, rounding."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct

from monigo.catalog import PlanType
from monigo.core.ids import CustomerId, MetricId, PriceId, SubscriptionId
from monigo.core.periods import Period
from monigo.core.times import format_instant, parse_instant
from monigo.infra import json
from monigo.infra.db import Transaction
from monigo.invoicing.rating.grouping import undescribed
from monigo.invoicing.rules import LIVE
from monigo.invoicing.types import Billed, BilledGroups, ClosedPeriod, Recount
from monigo.subscriptions import Subscription

# Lines of an invoice that was voided after its own period had been closed are waived, so they count
# as billed. A voided invoice's lines of other periods do not count, and fall due again. The order
# is that of the numbers, because a test clock may stand still. OFFSET 0 has the periods read one by
# one: a plan made while there were few lines would read them all.
SUM_BILLED = """
    SELECT asked.ordinal, line.price_id, line.group_value, sum(line.quantity) AS quantity,
        sum(line.amount) AS amount
    FROM unnest($3::bigint[], $4::uuid[], $5::timestamptz[], $6::bigint[])
        AS asked (ordinal, subscription_id, period_start, closing_number)
    CROSS JOIN LATERAL (
        SELECT invoice_id, price_id, group_value, quantity, amount FROM invoice_line_items
        WHERE org_id = $1 AND is_test = $2 AND subscription_id = asked.subscription_id
            AND period_start = asked.period_start AND kind IN ('usage', 'fee')
        OFFSET 0
    ) AS line
    JOIN invoices AS invoice ON invoice.org_id = $1 AND invoice.is_test = $2
        AND invoice.id = line.invoice_id
    WHERE invoice.status = ANY ($7::text[])
        OR invoice.status = 'void' AND invoice.finalized_at IS NOT NULL
            AND invoice.period_start = asked.period_start
            AND invoice.voided_after >= asked.closing_number
    GROUP BY asked.ordinal, line.price_id, line.group_value
"""

SELECT_BILLED_PRICES = """
    SELECT DISTINCT ON (asked.ordinal, line.price_id) asked.ordinal, line.price_id, line.metric_id,
        line.description, line.group_value
    FROM unnest($3::bigint[], $4::uuid[], $5::timestamptz[], $6::uuid[])
        AS asked (ordinal, subscription_id, period_start, price_id)
    JOIN invoice_line_items AS line ON line.org_id = $1 AND line.is_test = $2
        AND line.subscription_id = asked.subscription_id
        AND line.period_start = asked.period_start AND line.price_id = asked.price_id
    ORDER BY asked.ordinal, line.price_id, line.created_at DESC
"""

SUM_CREDIT = """
    SELECT invoice.customer_id, invoice.currency, invoice.plan_type, sum(line.amount) AS amount
    FROM invoices AS invoice
    JOIN invoice_line_items AS line ON line.org_id = $1 AND line.is_test = $2
        AND line.invoice_id = invoice.id AND line.kind = 'credit'
    WHERE invoice.org_id = $1 AND invoice.is_test = $2 AND invoice.has_credit
        AND invoice.customer_id = ANY ($3::uuid[]) AND invoice.status = ANY ($4::text[])
    GROUP BY invoice.customer_id, invoice.currency, invoice.plan_type
"""

# Of the few invoices that rounded anything, which have an index of their own.
SUM_ROUNDING = """
    SELECT subscription_id, sum(rounded_off) AS rounding
    FROM invoices
    WHERE org_id = $1 AND is_test = $2 AND subscription_id = ANY ($3::uuid[])
        AND rounded_off <> 0 AND status = ANY ($4::text[])
    GROUP BY subscription_id
"""

# By customer, for whom there is an index. What was made before rounding was carried counts in
# neither sum.
SUM_SUBTOTALS = """
    SELECT subscription_id, sum(subtotal) AS subtotals
    FROM invoices
    WHERE org_id = $1 AND is_test = $2 AND customer_id = ANY ($3::uuid[])
        AND subscription_id = ANY ($4::uuid[]) AND rounded_off IS NOT NULL
        AND status = ANY ($5::text[])
    GROUP BY subscription_id
"""

# Without a closing invoice that still counts, a period is waived, or was a trial.
SELECT_CLOSED = """
    SELECT invoice.subscription_id, invoice.period_start, invoice.period_end,
        invoice.terms::text AS terms, invoice.number, invoice.remeasured::text AS remeasured
    FROM unnest($3::uuid[], $4::timestamptz[]) AS asked (subscription_id, changed_from)
    JOIN invoices AS invoice ON invoice.org_id = $1 AND invoice.is_test = $2
        AND invoice.subscription_id = asked.subscription_id
        AND invoice.period_end > asked.changed_from
    WHERE invoice.kind = 'closing' AND invoice.status = ANY ($5::text[])
        AND invoice.period_start >= $6
    ORDER BY invoice.subscription_id, invoice.period_start
"""

REMEASURE = """
    UPDATE invoices AS invoice
    SET remeasured = invoice.remeasured || jsonb_build_object($5::text, jsonb_build_object(
        'at', $6::text,
        'versions', coalesce((
            SELECT jsonb_object_agg(metric.id, metric.version)
            FROM jsonb_array_elements(invoice.terms -> 'prices') AS price
            JOIN metrics AS metric ON metric.org_id = $1 AND metric.is_test = $2
                AND metric.id = (price ->> 'metric_id')::uuid
        ), '{}')
    ))
    WHERE invoice.org_id = $1 AND invoice.is_test = $2 AND invoice.kind = 'closing'
        AND invoice.status = ANY ($7::text[])
        AND invoice.period_start < $4 AND invoice.period_end > $3
"""

_LIVE = [status.value for status in LIVE]


class BilledPeriod(Struct, frozen=True):
    """A period whose sums are asked for; `closing_number` is None while it is open."""

    subscription_id: SubscriptionId
    period: Period
    closing_number: int | None


class BilledPrice(Struct, frozen=True):
    """How earlier lines of a period called a price."""

    price_id: PriceId
    metric_id: MetricId
    description: str


async def sum_billed(tx: Transaction, asked: Sequence[BilledPeriod]) -> list[BilledGroups]:
    """What has been charged for each price, fee and group value in each of the periods."""
    billed: list[dict[PriceId | None, dict[str, Billed]]] = [{} for _ in asked]
    rows = await tx.fetch(
        SUM_BILLED,
        list(range(len(asked))),
        [item.subscription_id for item in asked],
        [item.period.start for item in asked],
        [item.closing_number for item in asked],
        _LIVE,
    )
    for row in rows:
        groups = billed[row["ordinal"]].setdefault(row["price_id"], {})
        groups[row["group_value"]] = Billed(row["quantity"], row["amount"])
    return list(billed)


async def load_billed_prices(
    tx: Transaction, asked: Sequence[tuple[SubscriptionId, Period, PriceId]]
) -> list[BilledPrice]:
    """How lines called prices that were billed in a period, in the order asked."""
    rows = await tx.fetch(
        SELECT_BILLED_PRICES,
        list(range(len(asked))),
        [subscription_id for subscription_id, _, _ in asked],
        [period.start for _, period, _ in asked],
        [price_id for _, _, price_id in asked],
    )
    return [
        BilledPrice(
            PriceId(row["price_id"]),
            MetricId(row["metric_id"]),
            undescribed(row["description"], row["group_value"]),
        )
        for row in rows
    ]


async def sum_credits(
    tx: Transaction, customer_ids: Sequence[CustomerId]
) -> dict[tuple[CustomerId, str, PlanType], Decimal]:
    """What live invoices carried forward and no live one has brought in yet."""
    rows = await tx.fetch(SUM_CREDIT, customer_ids, _LIVE)
    return {
        (CustomerId(row["customer_id"]), row["currency"], PlanType(row["plan_type"])): row["amount"]
        for row in rows
    }


async def sum_rounding(
    tx: Transaction, subscription_ids: Sequence[SubscriptionId]
) -> dict[SubscriptionId, Decimal]:
    """Σ (lines but `rounding`, less the subtotal) over subscriptions' live invoices, where any."""
    rows = await tx.fetch(SUM_ROUNDING, subscription_ids, _LIVE)
    return {SubscriptionId(row["subscription_id"]): row["rounding"] for row in rows}


async def sum_subtotals(
    tx: Transaction, known: Sequence[Subscription]
) -> dict[SubscriptionId, Decimal]:
    """Σ subtotals over subscriptions' live invoices."""
    customer_ids = [subscription.customer_id for subscription in known]
    subscription_ids = [subscription.id for subscription in known]
    rows = await tx.fetch(SUM_SUBTOTALS, customer_ids, subscription_ids, _LIVE)
    return {SubscriptionId(row["subscription_id"]): row["subtotals"] for row in rows}


async def load_closed(
    tx: Transaction, changed_from: dict[SubscriptionId, datetime], *, kept_from: datetime
) -> list[ClosedPeriod]:
    """The closed periods that end after an instant of each subscription's, in order.

    Periods that began before `kept_from` are sealed: their events may be redacted.
    """
    rows = await tx.fetch(
        SELECT_CLOSED, list(changed_from), list(changed_from.values()), _LIVE, kept_from
    )
    return [
        ClosedPeriod(
            subscription_id=SubscriptionId(row["subscription_id"]),
            period=Period(row["period_start"], row["period_end"]),
            frozen_terms=row["terms"],
            closing_number=row["number"],
            remeasured={
                event_name: _recount(stored)
                for event_name, stored in json.decode(row["remeasured"]).items()
            },
        )
        for row in rows
    ]


async def remeasure(tx: Transaction, window: Period, event_name: str) -> None:
    """Have closed periods that overlap a window counted by the metrics of now from now on."""
    await tx.execute(REMEASURE, window.start, window.end, event_name, format_instant(tx.now), _LIVE)


def _recount(stored: str | Mapping[str, Any]) -> Recount:
    if isinstance(stored, str):  # From before versions were kept.
        return Recount(parse_instant(stored), {})
    versions = {MetricId(UUID(known)): version for known, version in stored["versions"].items()}
    return Recount(parse_instant(stored["at"]), versions)
