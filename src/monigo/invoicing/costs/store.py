"""The SQL that sums up what was invoiced of periods."""

from collections.abc import Sequence
from decimal import Decimal

from monigo.core.periods import Period
from monigo.infra.db import Transaction
from monigo.invoicing.rules import LIVE
from monigo.subscriptions import Subscription

SUM_TOTALS = """
    SELECT asked.ordinal, (
        SELECT coalesce(sum(total), 0) FROM invoices
        WHERE org_id = $1 AND is_test = $2 AND customer_id = asked.customer_id
            AND subscription_id = asked.subscription_id
            AND period_start = asked.period_start AND kind <> 'supplementary'
            AND status = ANY ($6::text[])
    ) AS total
    FROM unnest($3::uuid[], $4::uuid[], $5::timestamptz[])
        WITH ORDINALITY AS asked (customer_id, subscription_id, period_start, ordinal)
    ORDER BY asked.ordinal
"""

_LIVE = [status.value for status in LIVE]


async def sum_totals(
    tx: Transaction, periods: Sequence[tuple[Subscription, Period]]
) -> list[Decimal]:
    """What live invoices of each of these periods come to together."""
    rows = await tx.fetch(
        SUM_TOTALS,
        [known.customer_id for known, _ in periods],
        [known.id for known, _ in periods],
        [period.start for _, period in periods],
        _LIVE,
    )
    return [row["total"] for row in rows]
