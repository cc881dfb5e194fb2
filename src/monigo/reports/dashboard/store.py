"""The SQL of the start page's money: sums of invoices and bills by what their indexes hold."""

from datetime import datetime
from decimal import Decimal

import asyncpg

from monigo.core.periods import Period
from monigo.infra.db import Transaction

# Invoices that became final in a period, and of it since an instant.
SUM_FINAL = """
    SELECT currency,
        coalesce(sum(total) FILTER (WHERE plan_type = 'collection'), 0) AS billed,
        coalesce(sum(total) FILTER (
            WHERE plan_type = 'collection' AND finalized_at >= $5
        ), 0) AS billed_today,
        coalesce(sum(total - amount_paid) FILTER (
            WHERE plan_type = 'payout' AND status IN ('finalized', 'payment_failed')
        ), 0) AS owed_to_payees,
        coalesce(sum(total - amount_paid) FILTER (
            WHERE plan_type = 'payout' AND status IN ('finalized', 'payment_failed')
                AND finalized_at >= $5
        ), 0) AS owed_to_payees_today
    FROM invoices
    WHERE org_id = $1 AND is_test = $2 AND finalized_at >= $3 AND finalized_at < $4
        AND status <> 'void'
    GROUP BY currency
"""

# Invoices that were paid in a period, and of it since an instant.
SUM_PAID = """
    SELECT currency,
        coalesce(sum(total) FILTER (WHERE plan_type = 'collection'), 0) AS collected,
        coalesce(sum(total) FILTER (
            WHERE plan_type = 'collection' AND paid_at >= $5
        ), 0) AS collected_today,
        coalesce(sum(total) FILTER (WHERE plan_type = 'payout'), 0) AS paid_out,
        coalesce(sum(total) FILTER (
            WHERE plan_type = 'payout' AND paid_at >= $5
        ), 0) AS paid_out_today
    FROM invoices
    WHERE org_id = $1 AND is_test = $2 AND paid_at >= $3 AND paid_at < $4
    GROUP BY currency
"""

SUM_OWED_TO_PAYEES = """
    SELECT currency, sum(total - amount_paid) AS amount FROM invoices
    WHERE org_id = $1 AND is_test = $2
        AND plan_type = 'payout' AND status IN ('finalized', 'payment_failed')
    GROUP BY currency
    ORDER BY currency
"""


async def sum_final(tx: Transaction, period: Period, today: datetime) -> list[asyncpg.Record]:
    """By currency, what invoices bill and bills owe that became final in a period, and today."""
    return await tx.fetch(SUM_FINAL, period.start, period.end, today)


async def sum_paid(tx: Transaction, period: Period, today: datetime) -> list[asyncpg.Record]:
    """By currency, what invoices and bills came to that were paid in a period, and today."""
    return await tx.fetch(SUM_PAID, period.start, period.end, today)


async def sum_owed_to_payees(tx: Transaction) -> tuple[tuple[str, Decimal], ...]:
    """By currency, what is due of all bills."""
    return tuple((row["currency"], row["amount"]) for row in await tx.fetch(SUM_OWED_TO_PAYEES))
