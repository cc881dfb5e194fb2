"""The SQL that compares stretches with their sources, and finds what nobody is to look at."""

from collections.abc import Sequence

import asyncpg

from monigo.core.ids import SubscriptionId
from monigo.infra.db import Transaction
from monigo.subscriptions.due import PERIOD_CLOSE
from monigo.subscriptions.rules import LOOKS_END

# The instants that each subscription may bill, less those of its customer's earlier subscriptions
# of the plan type: where two overlap, the instants are the earlier one's.
_LIVES = """
    SELECT org_id, is_test, id, customer_id, plan_type, taken, coalesce(
            range_agg(taken) OVER (
                PARTITION BY org_id, is_test, customer_id, plan_type
                ORDER BY created_at, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ),
            '{}'::tstzmultirange
        ) AS before
    FROM (
        SELECT known.org_id, known.is_test, known.id, known.customer_id, known.plan_type,
            known.created_at,
            CASE WHEN known.canceled_at <= known.start_date THEN '{}'::tstzmultirange
                ELSE tstzmultirange(
                    tstzrange(known.start_date, coalesce(known.canceled_at, known.end_date))
                )
            END - coalesce(pauses.paused, '{}'::tstzmultirange) AS taken
        FROM subscriptions AS known
        LEFT JOIN (
            SELECT org_id, is_test, subscription_id,
                range_agg(tstzrange(started_at, ended_at)) AS paused
            FROM subscription_pauses
            WHERE org_id = $1 AND is_test = $2
            GROUP BY org_id, is_test, subscription_id
        ) AS pauses ON pauses.org_id = known.org_id AND pauses.is_test = known.is_test
            AND pauses.subscription_id = known.id
        WHERE known.org_id = $1 AND known.is_test = $2
    ) AS own
"""

SELECT_BILLABLE_TWICE = f"""
    SELECT id, (taken * before)::text AS instants
    FROM ({_LIVES}) AS lives
    WHERE taken && before
    ORDER BY id
    LIMIT $3
"""

# Also those noted under another customer or plan type, and those of nobody.
SELECT_OTHER_STRETCHES = f"""
    SELECT coalesce(lives.id, noted.subscription_id) AS id, noted.taken::text AS stored,
        (lives.taken - lives.before)::text AS computed
    FROM ({_LIVES}) AS lives
    FULL JOIN (
        SELECT org_id, is_test, subscription_id, customer_id, plan_type,
            range_agg(tstzrange(started_at, ended_at)) AS taken
        FROM subscription_stretches
        WHERE org_id = $1 AND is_test = $2
        GROUP BY org_id, is_test, subscription_id, customer_id, plan_type
    ) AS noted ON noted.org_id = lives.org_id AND noted.is_test = lives.is_test
        AND noted.subscription_id = lives.id AND noted.customer_id = lives.customer_id
        AND noted.plan_type = lives.plan_type
    WHERE coalesce(noted.taken, '{{}}'::tstzmultirange)
        IS DISTINCT FROM coalesce(lives.taken - lives.before, '{{}}'::tstzmultirange)
    ORDER BY 1
    LIMIT $3
"""

# An ended one that was looked at for the last time needs no more looks.
SELECT_WITHOUT_DUE = """
    SELECT id FROM subscriptions AS known
    WHERE org_id = $1 AND is_test = $2 AND ($3::uuid IS NULL OR id > $3) AND billing_error = ''
        AND (
            canceled_at IS NULL OR closed_until < canceled_at OR recheck_from IS NOT NULL
            OR canceled_at > $4
        )
        AND NOT EXISTS (
            SELECT 1 FROM agenda
            WHERE org_id = $1 AND is_test = $2 AND kind = $6 AND subject = known.id
        )
    ORDER BY id
    LIMIT $5
"""

COUNT = "SELECT count(*) FROM subscriptions WHERE org_id = $1 AND is_test = $2"


async def count(tx: Transaction) -> int:
    """How many subscriptions there are, deleted ones included."""
    return await tx.fetchval(COUNT)


async def list_billable_twice(tx: Transaction, limit: int) -> list[asyncpg.Record]:
    """Subscriptions with instants that one of the same customer and plan type bills, too."""
    return await tx.fetch(SELECT_BILLABLE_TWICE, limit)


async def list_other_stretches(tx: Transaction, limit: int) -> list[asyncpg.Record]:
    """Subscriptions whose stretches are not what they and their pauses come to."""
    return await tx.fetch(SELECT_OTHER_STRETCHES, limit)


async def list_without_due(
    tx: Transaction, *, after: SubscriptionId | None, limit: int
) -> Sequence[SubscriptionId]:
    """The next subscriptions, by id, for which nothing is noted that is to be done."""
    rows = await tx.fetch(SELECT_WITHOUT_DUE, after, tx.now - LOOKS_END, limit, PERIOD_CLOSE.name)
    return [SubscriptionId(row["id"]) for row in rows]
