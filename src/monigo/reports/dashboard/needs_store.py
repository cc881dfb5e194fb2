"""The SQL of what waits for a person: counts, and the first few ids."""

from monigo.infra.db import Transaction
from monigo.reports.dashboard.types import Need, NeedKind

SELECT_WAITING = """
    SELECT
        (
            SELECT count(*) FROM subscriptions
            WHERE org_id = $1 AND is_test = $2 AND pause_reason = 'insufficient_balance'
        ) AS paused,
        ARRAY(
            SELECT id FROM subscriptions
            WHERE org_id = $1 AND is_test = $2 AND pause_reason = 'insufficient_balance'
            ORDER BY id LIMIT $3
        ) AS paused_ids,
        (
            SELECT count(*) FROM wallet_top_ups
            WHERE org_id = $1 AND is_test = $2 AND status = 'open'
        ) AS low,
        ARRAY(
            SELECT wallet_id FROM wallet_top_ups
            WHERE org_id = $1 AND is_test = $2 AND status = 'open'
            ORDER BY wallet_id LIMIT $3
        ) AS low_ids,
        (SELECT count(*) FROM usage_declines WHERE org_id = $1 AND is_test = $2) AS fallen,
        ARRAY(
            SELECT customer_id FROM usage_declines WHERE org_id = $1 AND is_test = $2
            ORDER BY customer_id LIMIT $3
        ) AS fallen_ids,
        (
            SELECT count(*) FROM charges
            WHERE org_id = $1 AND is_test = $2 AND needs_person_at IS NOT NULL
        ) + (
            SELECT count(*) FROM refunds
            WHERE org_id = $1 AND is_test = $2 AND needs_person_at IS NOT NULL
        ) + (
            SELECT count(*) FROM transfers
            WHERE org_id = $1 AND is_test = $2 AND needs_person_at IS NOT NULL
        ) AS unresolved,
        ARRAY(
            SELECT id FROM (
                SELECT id FROM charges
                WHERE org_id = $1 AND is_test = $2 AND needs_person_at IS NOT NULL
                UNION ALL
                SELECT id FROM refunds
                WHERE org_id = $1 AND is_test = $2 AND needs_person_at IS NOT NULL
                UNION ALL
                SELECT id FROM transfers
                WHERE org_id = $1 AND is_test = $2 AND needs_person_at IS NOT NULL
            ) AS waiting
            ORDER BY id LIMIT $3
        ) AS unresolved_ids,
        (
            SELECT count(*) FROM provider_events
            WHERE org_id = $1 AND is_test = $2 AND state IN ('parked', 'failed')
        ) AS unmatched,
        ARRAY(
            SELECT id FROM provider_events
            WHERE org_id = $1 AND is_test = $2 AND state IN ('parked', 'failed')
            ORDER BY id LIMIT $3
        ) AS unmatched_ids,
        (
            SELECT count(*) FROM reconciliation_rows
            WHERE org_id = $1 AND is_test = $2 AND settled_at IS NULL AND next_step = 'person'
        ) AS differing,
        ARRAY(
            SELECT id FROM reconciliation_rows
            WHERE org_id = $1 AND is_test = $2 AND settled_at IS NULL AND next_step = 'person'
            ORDER BY id LIMIT $3
        ) AS differing_ids,
        (
            SELECT count(*) FROM payouts
            WHERE org_id = $1 AND is_test = $2 AND state = 'needs_approval' AND held_at IS NULL
        ) AS unapproved,
        ARRAY(
            SELECT bill_id FROM payouts
            WHERE org_id = $1 AND is_test = $2 AND state = 'needs_approval' AND held_at IS NULL
            ORDER BY bill_id LIMIT $3
        ) AS unapproved_ids,
        (
            SELECT count(DISTINCT transfer_id) FROM payout_parts
            WHERE org_id = $1 AND is_test = $2 AND is_excess
        ) AS paid_twice,
        ARRAY(
            SELECT DISTINCT transfer_id FROM payout_parts
            WHERE org_id = $1 AND is_test = $2 AND is_excess
            ORDER BY transfer_id LIMIT $3
        ) AS paid_twice_ids
"""

# In the order in which they are reported.
_COLUMNS = {
    "paused": NeedKind.SUBSCRIPTIONS_PAUSED_FOR_BALANCE,
    "low": NeedKind.WALLETS_WAITING_FOR_TOP_UP,
    "fallen": NeedKind.CUSTOMERS_WITH_FALLEN_USAGE,
    "unresolved": NeedKind.TRANSACTIONS_TO_RESOLVE,
    "unmatched": NeedKind.PROVIDER_EVENTS_WAITING,
    "differing": NeedKind.RECONCILIATION_DIFFERENCES,
    "unapproved": NeedKind.PAYOUTS_TO_APPROVE,
    "paid_twice": NeedKind.TRANSFERS_PAID_TWICE,
}


async def waiting(tx: Transaction, shown_max: int) -> list[Need]:
    """What waits of billing and payments; a kind that is absent has nothing."""
    row = await tx.fetchrow(SELECT_WAITING, shown_max)
    return [
        Need(kind, row[column], tuple(row[f"{column}_ids"]))
        for column, kind in _COLUMNS.items()
        if row is not None and row[column]
    ]
