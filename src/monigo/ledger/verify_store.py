"""The SQL that computes balances and chains again from the transfers."""

from monigo.core.verification import DIFFERENCES_MAX, Difference
from monigo.infra.db import Transaction

# Both sides of each transfer, each with the entry before it in its account's chain.
_ENTRIES = """
    SELECT side.account_id, side.sequence, side.change, side.balance_before, side.balance_after,
        side.chain_hash, side.content, side.transfer_id,
        lag(side.sequence, 1, 0::bigint) OVER chain AS previous_sequence,
        lag(side.balance_after, 1, 0::numeric) OVER chain AS previous_balance,
        lag(side.chain_hash, 1, sha256('')) OVER chain AS previous_hash
    FROM ledger_transfers AS transfer
    CROSS JOIN LATERAL ledger_transfer_content(
        transfer.org_id, transfer.is_test, transfer.id, transfer.transaction_id,
        transfer.from_account_id, transfer.to_account_id, transfer.amount, transfer.currency,
        transfer.entry_type, transfer.description, transfer.reference_type, transfer.reference_id,
        transfer.counterparty, transfer.idempotency_key, transfer.metadata, transfer.created_at
    ) AS recorded (content)
    CROSS JOIN LATERAL (VALUES
        (transfer.from_account_id, transfer.from_sequence, -transfer.amount,
            transfer.from_balance_before, transfer.from_balance_after, transfer.from_chain_hash,
            recorded.content, transfer.id),
        (transfer.to_account_id, transfer.to_sequence, transfer.amount,
            transfer.to_balance_before, transfer.to_balance_after, transfer.to_chain_hash,
            recorded.content, transfer.id)
    ) AS side (
        account_id, sequence, change, balance_before, balance_after, chain_hash, content,
        transfer_id
    )
    WHERE transfer.org_id = $1 AND transfer.is_test = $2
    WINDOW chain AS (PARTITION BY side.account_id ORDER BY side.sequence)
"""

COUNT = """
    SELECT (
        SELECT count(*) FROM ledger_accounts WHERE org_id = $1 AND is_test = $2
    ) AS accounts, (
        SELECT count(*) FROM ledger_transfers WHERE org_id = $1 AND is_test = $2
    ) AS transfers
"""

COMPARE_ENTRIES = f"""
    SELECT jsonb_build_object(
            'account_id', account_id, 'sequence', sequence, 'transfer_id', transfer_id
        )::text AS subject,
        jsonb_build_object(
            'after', previous_sequence, 'before', balance_before, 'left', balance_after,
            'link', encode(chain_hash, 'hex')
        )::text AS stored,
        jsonb_build_object(
            'after', sequence - 1, 'before', previous_balance, 'left', previous_balance + change,
            'link', encode(
                ledger_chain_link(previous_hash, content, sequence, previous_balance + change),
                'hex'
            )
        )::text AS computed
    FROM ({_ENTRIES}) AS entry
    WHERE previous_sequence <> sequence - 1
        OR balance_before <> previous_balance
        OR balance_after <> previous_balance + change
        OR chain_hash <>
            ledger_chain_link(previous_hash, content, sequence, previous_balance + change)
    ORDER BY account_id, sequence
    LIMIT $3
"""

COMPARE_ACCOUNTS = """
    SELECT account.id::text AS subject,
        jsonb_build_object(
            'balance', account.balance, 'entries', account.sequence,
            'link', encode(account.chain_hash, 'hex')
        )::text AS stored,
        jsonb_build_object(
            'balance', computed.balance, 'entries', computed.entries,
            'link', encode(computed.chain_hash, 'hex')
        )::text AS computed
    FROM ledger_accounts AS account
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(entry.change), 0)::numeric(24, 6) AS balance, count(*) AS entries,
            coalesce(
                (array_agg(entry.chain_hash ORDER BY entry.sequence DESC))[1], sha256('')
            ) AS chain_hash
        FROM (
            SELECT -amount AS change, from_chain_hash AS chain_hash, from_sequence AS sequence
            FROM ledger_transfers
            WHERE org_id = $1 AND is_test = $2 AND from_account_id = account.id
            UNION ALL
            SELECT amount, to_chain_hash, to_sequence
            FROM ledger_transfers
            WHERE org_id = $1 AND is_test = $2 AND to_account_id = account.id
        ) AS entry
    ) AS computed
    WHERE account.org_id = $1 AND account.is_test = $2
        AND (account.balance, account.sequence, account.chain_hash)
            IS DISTINCT FROM (computed.balance, computed.entries, computed.chain_hash)
    ORDER BY account.id
    LIMIT $3
"""

# A transfer's accounts must exist and have its currency.
COMPARE_CURRENCIES = """
    SELECT transfer.id::text AS subject, transfer.currency AS stored,
        source.currency || ' to ' || target.currency AS computed
    FROM ledger_transfers AS transfer
    LEFT JOIN ledger_accounts AS source
        ON source.org_id = $1 AND source.is_test = $2 AND source.id = transfer.from_account_id
    LEFT JOIN ledger_accounts AS target
        ON target.org_id = $1 AND target.is_test = $2 AND target.id = transfer.to_account_id
    WHERE transfer.org_id = $1 AND transfer.is_test = $2
        AND (source.currency IS DISTINCT FROM transfer.currency
            OR target.currency IS DISTINCT FROM transfer.currency)
    ORDER BY transfer.id
    LIMIT $3
"""

COMPARISONS = {
    "ledger entry": COMPARE_ENTRIES,
    "ledger account": COMPARE_ACCOUNTS,
    "currency of a transfer": COMPARE_CURRENCIES,
}


async def count(tx: Transaction) -> dict[str, int]:
    """How much there is to look at."""
    row = await tx.fetchrow(COUNT)
    return {} if row is None else dict(row)


async def compare(tx: Transaction) -> list[Difference]:
    """Where heads, entries and chains are not what the transfers make of them."""
    return [
        Difference(what, row["subject"], row["stored"], row["computed"])
        for what, statement in COMPARISONS.items()
        for row in await tx.fetch(statement, DIFFERENCES_MAX)
    ]
