"""The SQL of credit grants."""

from collections.abc import Collection, Sequence
from uuid import UUID

import asyncpg

from monigo.core.ids import CreditGrantId, CustomerId, LedgerAccountId, MetricId, WalletId
from monigo.core.paging import Page, PageRequest
from monigo.infra.db import Transaction
from monigo.wallets.credits.types import CreditGrant

COLUMNS = """
    credit.id, credit.wallet_id, credit.account_id, credit.currency, credit.amount,
    account.balance AS remaining, credit.priority, credit.metric_ids, credit.description,
    credit.expires_at, credit.created_at, credit.expired_at, credit.revoked_at,
    greatest(credit.updated_at, account.moved_at) AS updated_at
"""

JOINED = """
    credit_grants AS credit
    JOIN ledger_accounts AS account
        ON account.org_id = credit.org_id AND account.is_test = credit.is_test
        AND account.id = credit.account_id
"""

INSERT = """
    INSERT INTO credit_grants (
        org_id, is_test, id, wallet_id, account_id, currency, amount, priority, metric_ids,
        description, expires_at, created_at, updated_at
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
"""

SELECT = f"""
    SELECT {COLUMNS} FROM {JOINED}
    WHERE credit.org_id = $1 AND credit.is_test = $2 AND credit.id = ANY ($3::uuid[])
"""

SELECT_PAGE = f"""
    SELECT {COLUMNS} FROM {JOINED}
    WHERE credit.org_id = $1 AND credit.is_test = $2 AND credit.wallet_id = $3
    ORDER BY credit.created_at DESC, credit.id DESC
    LIMIT $4 OFFSET $5
"""

COUNT = """
    SELECT count(*) FROM credit_grants WHERE org_id = $1 AND is_test = $2 AND wallet_id = $3
"""

SELECT_USABLE = f"""
    SELECT {COLUMNS} FROM {JOINED}
    WHERE credit.org_id = $1 AND credit.is_test = $2 AND credit.wallet_id = ANY ($3::uuid[])
        AND credit.expired_at IS NULL AND credit.revoked_at IS NULL AND account.balance > 0
    ORDER BY credit.id
"""

SELECT_OWNERS_WHO_PAY = """
    SELECT wallet.customer_id, wallet.currency
    FROM wallets AS wallet
    WHERE wallet.org_id = $1 AND wallet.is_test = $2 AND wallet.status = 'active'
        AND wallet.customer_id = ANY ($3::uuid[])
        AND (
            wallet.excess > 0 OR EXISTS (
                SELECT 1 FROM credit_grants AS credit
                JOIN ledger_accounts AS account ON account.org_id = $1 AND account.is_test = $2
                    AND account.id = credit.account_id AND account.balance > 0
                WHERE credit.org_id = $1 AND credit.is_test = $2 AND credit.wallet_id = wallet.id
                    AND credit.expired_at IS NULL AND credit.revoked_at IS NULL
            )
        )
"""

EXPIRE = """
    UPDATE credit_grants SET expired_at = $4, updated_at = $4
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[]) AND expired_at IS NULL
        AND revoked_at IS NULL
    RETURNING id
"""

REVIVE = """
    UPDATE credit_grants SET expired_at = NULL
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
"""

REVOKE = """
    UPDATE credit_grants SET revoked_at = $4, updated_at = $4
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND revoked_at IS NULL
"""


async def insert(tx: Transaction, grant: CreditGrant) -> None:
    """Store a new grant over an account that exists."""
    await tx.execute(
        INSERT,
        grant.id,
        grant.wallet_id,
        grant.account_id,
        grant.currency,
        grant.amount,
        grant.priority,
        list(grant.metric_ids),
        grant.description,
        grant.expires_at,
        tx.now,
    )


async def load(tx: Transaction, grant_ids: Collection[UUID]) -> list[CreditGrant]:
    """Grants by id, as they stand."""
    return [_grant(row) for row in await tx.fetch(SELECT, list(grant_ids))]


async def list_page(tx: Transaction, wallet_id: UUID, request: PageRequest) -> Page[CreditGrant]:
    """A wallet's grants, newest first."""
    pages = tx.pieces(SELECT_PAGE, wallet_id, request.limit, request.offset)
    found = [_grant(row) async for rows in pages for row in rows]
    return Page(found, await tx.fetchval(COUNT, wallet_id), request.offset)


async def list_usable(tx: Transaction, wallet_ids: Collection[UUID]) -> list[CreditGrant]:
    """What these wallets' grants still hold, those that were not swept after their expiry, too."""
    return [_grant(row) for row in await tx.fetch(SELECT_USABLE, list(wallet_ids))]


async def expire(tx: Transaction, grant_ids: Sequence[UUID]) -> list[CreditGrantId]:
    """Mark grants of locked wallets as expired; those that were not yet."""
    return [CreditGrantId(row["id"]) for row in await tx.fetch(EXPIRE, grant_ids, tx.now)]


async def revive(tx: Transaction, grant_ids: Sequence[UUID]) -> None:
    """Let expired grants of locked wallets have something again."""
    await tx.execute(REVIVE, grant_ids)


async def revoke(tx: Transaction, grant_id: CreditGrantId) -> None:
    """Mark a grant of a locked wallet as revoked."""
    await tx.execute(REVOKE, grant_id, tx.now)


async def owners_with_credits_or_excess(
    tx: Transaction, customer_ids: Collection[CustomerId]
) -> set[tuple[CustomerId, str]]:
    """Whose active wallets, in which currencies, have credits left, or money that is excess."""
    rows = await tx.fetch(SELECT_OWNERS_WHO_PAY, list(customer_ids))
    return {(CustomerId(row["customer_id"]), row["currency"]) for row in rows}


def _grant(row: asyncpg.Record) -> CreditGrant:
    return CreditGrant(
        id=CreditGrantId(row["id"]),
        wallet_id=WalletId(row["wallet_id"]),
        account_id=LedgerAccountId(row["account_id"]),
        currency=row["currency"],
        amount=row["amount"],
        remaining=row["remaining"],
        priority=row["priority"],
        metric_ids=tuple(MetricId(one) for one in row["metric_ids"]),
        description=row["description"],
        expires_at=row["expires_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        expired_at=row["expired_at"],
        revoked_at=row["revoked_at"],
    )
