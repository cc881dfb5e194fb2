"""The SQL that compares wallets, reservations and credits with their accounts in the ledger."""

from monigo.core.verification import DIFFERENCES_MAX, Difference
from monigo.infra.db import Transaction
from monigo.wallets.due import CREDIT_EXPIRY, RESERVATION_EXPIRY

COUNT = """
    SELECT (
        SELECT count(*) FROM wallets WHERE org_id = $1 AND is_test = $2
    ) AS wallets, (
        SELECT count(*) FROM wallet_reservations WHERE org_id = $1 AND is_test = $2
    ) AS reservations, (
        SELECT count(*) FROM credit_grants WHERE org_id = $1 AND is_test = $2
    ) AS credit_grants
"""

# Each of a wallet's accounts is of its column's kind and of the wallet's currency.
COMPARE_ACCOUNTS = """
    SELECT wallet.id::text AS subject, concat_ws(' ', account.kind, account.currency) AS stored,
        role.kind || ' ' || wallet.currency AS computed
    FROM wallets AS wallet
    CROSS JOIN LATERAL (VALUES
        ('customer_wallet', wallet.money_account_id), ('reserved', wallet.reserved_account_id),
        ('provider', wallet.provider_account_id), ('revenue', wallet.revenue_account_id)
    ) AS role (kind, account_id)
    LEFT JOIN ledger_accounts AS account
        ON account.org_id = $1 AND account.is_test = $2 AND account.id = role.account_id
    WHERE wallet.org_id = $1 AND wallet.is_test = $2
        AND (account.kind, account.currency) IS DISTINCT FROM (role.kind, wallet.currency)
    ORDER BY wallet.id, role.kind
    LIMIT $3
"""

# What a customer's accounts in a currency hold, the wallet's, credits' and those of the books,
# which comes to nothing: no money of one customer's goes to another's account.
COMPARE_SUMS = """
    SELECT owned.customer_id || ' ' || owned.currency AS subject,
        sum(account.balance)::text AS stored, '0' AS computed
    FROM (
        SELECT wallet.customer_id, wallet.currency, held.account_id
        FROM wallets AS wallet
        CROSS JOIN LATERAL (
            SELECT held.id AS account_id FROM unnest(ARRAY[
                wallet.money_account_id, wallet.reserved_account_id,
                wallet.provider_account_id, wallet.revenue_account_id
            ]) AS held (id)
            UNION ALL
            SELECT credit.account_id FROM credit_grants AS credit
            WHERE credit.org_id = $1 AND credit.is_test = $2 AND credit.wallet_id = wallet.id
        ) AS held
        WHERE wallet.org_id = $1 AND wallet.is_test = $2
        UNION ALL
        SELECT booked.customer_id, booked.currency, booked.id
        FROM ledger_accounts AS booked
        WHERE booked.org_id = $1 AND booked.is_test = $2 AND booked.customer_id IS NOT NULL
    ) AS owned
    JOIN ledger_accounts AS account
        ON account.org_id = $1 AND account.is_test = $2 AND account.id = owned.account_id
    GROUP BY owned.customer_id, owned.currency
    HAVING sum(account.balance) <> 0
    ORDER BY owned.customer_id, owned.currency
    LIMIT $3
"""

COMPARE_RESERVED = """
    SELECT wallet.id::text AS subject, account.balance::text AS stored,
        open.amount::text AS computed
    FROM wallets AS wallet
    JOIN ledger_accounts AS account
        ON account.org_id = $1 AND account.is_test = $2 AND account.id = wallet.reserved_account_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount), 0) AS amount FROM wallet_reservations
        WHERE org_id = $1 AND is_test = $2 AND wallet_id = wallet.id AND status = 'open'
    ) AS open
    WHERE wallet.org_id = $1 AND wallet.is_test = $2 AND account.balance <> open.amount
    ORDER BY wallet.id
    LIMIT $3
"""

# What came in excess is a part of what a wallet has, held or not.
COMPARE_EXCESS = """
    SELECT wallet.id::text AS subject, wallet.excess::text AS stored, held.amount::text AS computed
    FROM wallets AS wallet
    CROSS JOIN LATERAL (
        SELECT sum(balance) AS amount FROM ledger_accounts
        WHERE org_id = $1 AND is_test = $2
            AND id IN (wallet.money_account_id, wallet.reserved_account_id)
    ) AS held
    WHERE wallet.org_id = $1 AND wallet.is_test = $2 AND wallet.excess > 0
        AND wallet.excess > held.amount
    ORDER BY wallet.id
    LIMIT $3
"""

# A closed wallet holds nothing but what came in after it was closed.
COMPARE_CLOSED = """
    SELECT wallet.id::text AS subject, held.amount::text AS stored, late.amount::text AS computed
    FROM wallets AS wallet
    CROSS JOIN LATERAL (
        SELECT sum(balance) AS amount FROM ledger_accounts
        WHERE org_id = $1 AND is_test = $2
            AND id IN (wallet.money_account_id, wallet.reserved_account_id)
    ) AS held
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(moved.amount), 0) AS amount
        FROM (
            SELECT amount FROM ledger_transfers
            WHERE org_id = $1 AND is_test = $2 AND created_at >= wallet.closed_at
                AND to_account_id IN (wallet.money_account_id, wallet.reserved_account_id)
            UNION ALL
            SELECT -amount FROM ledger_transfers
            WHERE org_id = $1 AND is_test = $2 AND created_at >= wallet.closed_at
                AND from_account_id IN (wallet.money_account_id, wallet.reserved_account_id)
        ) AS moved
    ) AS late
    WHERE wallet.org_id = $1 AND wallet.is_test = $2 AND wallet.status = 'closed'
        AND held.amount <> late.amount
    ORDER BY wallet.id
    LIMIT $3
"""

# A grant's account took in what was granted, once, and holds nothing after what was left of it was
# taken back.
COMPARE_CREDITS = """
    SELECT credit.id::text AS subject,
        jsonb_build_object('kind', account.kind, 'granted', granted.amount,
            'is_over', coalesce(credit.expired_at, credit.revoked_at) IS NOT NULL,
            'left', account.balance)::text AS stored,
        jsonb_build_object('kind', 'credit_grant', 'granted', credit.amount)::text AS computed
    FROM credit_grants AS credit
    JOIN ledger_accounts AS account
        ON account.org_id = $1 AND account.is_test = $2 AND account.id = credit.account_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount), 0) AS amount FROM ledger_transfers
        WHERE org_id = $1 AND is_test = $2 AND to_account_id = credit.account_id
            AND entry_type = 'credit_grant'
    ) AS granted
    WHERE credit.org_id = $1 AND credit.is_test = $2
        AND (account.kind <> 'credit_grant' OR granted.amount <> credit.amount
            OR coalesce(credit.expired_at, credit.revoked_at) IS NOT NULL
                AND account.balance <> 0)
    ORDER BY credit.id
    LIMIT $3
"""

# Money is asked for only where a rule may ask, and money may come.
COMPARE_TOP_UPS = """
    SELECT top_up.id::text AS subject, top_up.status AS stored, 'canceled' AS computed
    FROM wallet_top_ups AS top_up
    JOIN wallets AS wallet
        ON wallet.org_id = $1 AND wallet.is_test = $2 AND wallet.id = top_up.wallet_id
    WHERE top_up.org_id = $1 AND top_up.is_test = $2 AND top_up.status = 'open'
        AND (wallet.top_up_threshold IS NULL OR wallet.status = 'closed')
    ORDER BY top_up.id
    LIMIT $3
"""

# Whatever expires is on the agenda until it has expired.
COMPARE_RESERVATION_EXPIRY = f"""
    SELECT held.id::text AS subject, '' AS stored, held.expires_at::text AS computed
    FROM wallet_reservations AS held
    WHERE held.org_id = $1 AND held.is_test = $2 AND held.status = 'open'
        AND NOT EXISTS (
            SELECT 1 FROM agenda
            WHERE org_id = $1 AND is_test = $2 AND kind = '{RESERVATION_EXPIRY.name}'
                AND subject = held.id
        )
    ORDER BY held.id
    LIMIT $3
"""

COMPARE_CREDIT_EXPIRY = f"""
    SELECT credit.id::text AS subject, '' AS stored, credit.expires_at::text AS computed
    FROM credit_grants AS credit
    WHERE credit.org_id = $1 AND credit.is_test = $2 AND credit.expires_at IS NOT NULL
        AND credit.expired_at IS NULL AND credit.revoked_at IS NULL
        AND NOT EXISTS (
            SELECT 1 FROM agenda
            WHERE org_id = $1 AND is_test = $2 AND kind = '{CREDIT_EXPIRY.name}'
                AND subject = credit.id
        )
    ORDER BY credit.id
    LIMIT $3
"""

COMPARISONS = {
    "account of a wallet": COMPARE_ACCOUNTS,
    "accounts of a customer": COMPARE_SUMS,
    "reserved balance": COMPARE_RESERVED,
    "excess in a wallet": COMPARE_EXCESS,
    "closed wallet": COMPARE_CLOSED,
    "credit grant": COMPARE_CREDITS,
    "top-up": COMPARE_TOP_UPS,
    "due work of a reservation": COMPARE_RESERVATION_EXPIRY,
    "due work of a credit grant": COMPARE_CREDIT_EXPIRY,
}


async def count(tx: Transaction) -> dict[str, int]:
    """How much there is to look at."""
    row = await tx.fetchrow(COUNT)
    return {} if row is None else dict(row)


async def compare(tx: Transaction) -> list[Difference]:
    """Wallets that differ from their accounts."""
    return [
        Difference(what, row["subject"], row["stored"] or None, row["computed"])
        for what, statement in COMPARISONS.items()
        for row in await tx.fetch(statement, DIFFERENCES_MAX)
    ]
