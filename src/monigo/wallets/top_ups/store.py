"""The SQL of auto top-up: wallets' rules, and what they asked for."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import asyncpg

from monigo.core.ids import CustomerId, TopUpId, WalletId
from monigo.core.paging import Page, PageRequest
from monigo.infra.db import Transaction
from monigo.wallets.top_ups.types import AutoTopUp, TopUp
from monigo.wallets.types import TopUpStatus

SELECT_RULE = """
    SELECT top_up_threshold, top_up_amount, top_up_monthly_limit FROM wallets
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND top_up_threshold IS NOT NULL
"""

SET_RULE = """
    UPDATE wallets
    SET top_up_threshold = $4, top_up_amount = $5, top_up_monthly_limit = $6
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

SELECT_RULES_TO_ASK = """
    SELECT id, top_up_threshold, top_up_amount, top_up_monthly_limit FROM wallets
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[]) AND top_up_threshold IS NOT NULL
        AND NOT EXISTS (
            SELECT 1 FROM wallet_top_ups
            WHERE org_id = $1 AND is_test = $2 AND wallet_id = wallets.id AND status = 'open'
        )
"""

SELECT_ASKED_SINCE = """
    SELECT wallet_id, sum(amount) AS amount FROM wallet_top_ups
    WHERE org_id = $1 AND is_test = $2 AND wallet_id = ANY ($3::uuid[])
        AND created_at >= $4 AND status <> 'canceled'
    GROUP BY wallet_id
"""

COLUMNS = """
    id, wallet_id, currency, amount, deposited_amount, status, created_at, updated_at, settled_at
"""

SELECT = f"""
    SELECT {COLUMNS} FROM wallet_top_ups
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

SELECT_OPEN_OF_CUSTOMER = """
    SELECT top_up.id FROM wallets AS wallet
    JOIN wallet_top_ups AS top_up
        ON top_up.org_id = wallet.org_id AND top_up.is_test = wallet.is_test
        AND top_up.wallet_id = wallet.id AND top_up.status = 'open'
    WHERE wallet.org_id = $1 AND wallet.is_test = $2 AND wallet.customer_id = $3
"""

INSERT = """
    INSERT INTO wallet_top_ups (
        org_id, is_test, id, wallet_id, currency, amount, deposited_amount, status, created_at,
        updated_at
    )
    SELECT $1, $2, wanted.id, wanted.wallet_id, wanted.currency, wanted.amount, 0, 'open', $7, $7
    FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::numeric[])
        AS wanted (id, wallet_id, currency, amount)
    RETURNING 1
"""

ADD_DEPOSITS = """
    UPDATE wallet_top_ups AS top_up
    SET deposited_amount = least(top_up.deposited_amount + deposit.amount, top_up.amount),
        status = CASE WHEN top_up.deposited_amount + deposit.amount >= top_up.amount
            THEN 'paid' ELSE 'open' END,
        settled_at = CASE WHEN top_up.deposited_amount + deposit.amount >= top_up.amount
            THEN $5::timestamptz END,
        updated_at = $5
    FROM unnest($3::uuid[], $4::numeric[]) AS deposit (wallet_id, amount)
    WHERE top_up.org_id = $1 AND top_up.is_test = $2 AND top_up.wallet_id = deposit.wallet_id
        AND top_up.status = 'open'
"""

CANCEL = """
    UPDATE wallet_top_ups SET status = 'canceled', updated_at = $4, settled_at = $4
    WHERE org_id = $1 AND is_test = $2 AND wallet_id = ANY ($3::uuid[]) AND status = 'open'
"""

MATCHING = """
    FROM wallet_top_ups
    WHERE org_id = $1 AND is_test = $2 AND wallet_id = $3 AND ($4::text IS NULL OR status = $4)
"""

SELECT_PAGE = f"""
    SELECT {COLUMNS} {MATCHING}
    ORDER BY created_at DESC, id DESC
    LIMIT $5 OFFSET $6
"""

COUNT = f"SELECT count(*) {MATCHING}"


async def load(tx: Transaction, top_up_id: UUID) -> TopUp | None:
    """A request for money."""
    row = await tx.fetchrow(SELECT, top_up_id)
    return None if row is None else _top_up(row)


async def list_open_top_ups(tx: Transaction, customer_id: CustomerId) -> list[TopUpId]:
    """The open requests of a customer's wallets."""
    rows = await tx.fetch(SELECT_OPEN_OF_CUSTOMER, customer_id)
    return [TopUpId(row["id"]) for row in rows]


async def load_rule(tx: Transaction, wallet_id: UUID) -> AutoTopUp | None:
    """A wallet's rule, if it has one."""
    row = await tx.fetchrow(SELECT_RULE, wallet_id)
    return None if row is None else _rule(row)


async def set_rule(tx: Transaction, wallet_id: WalletId, rule: AutoTopUp | None) -> None:
    """Give a locked wallet a rule, or take its rule away."""
    values = (None,) * 3 if rule is None else (rule.threshold, rule.amount, rule.monthly_limit)
    await tx.execute(SET_RULE, wallet_id, *values)


async def load_rules_to_ask(
    tx: Transaction, wallet_ids: Collection[WalletId]
) -> dict[WalletId, AutoTopUp]:
    """The rules of those of these locked wallets that have one and wait for nothing yet."""
    rows = await tx.fetch(SELECT_RULES_TO_ASK, list(wallet_ids))
    return {WalletId(row["id"]): _rule(row) for row in rows}


async def sum_asked_since(
    tx: Transaction, wallet_ids: Collection[WalletId], since: datetime
) -> dict[WalletId, Decimal]:
    """What was asked for since an instant and not canceled; absent where it is nothing."""
    rows = await tx.fetch(SELECT_ASKED_SINCE, list(wallet_ids), since)
    return {WalletId(row["wallet_id"]): row["amount"] for row in rows}


async def insert(tx: Transaction, top_ups: Sequence[TopUp]) -> None:
    """Store new, open requests of locked wallets."""
    await tx.execute(
        INSERT,
        [one.id for one in top_ups],
        [one.wallet_id for one in top_ups],
        [one.currency for one in top_ups],
        [one.amount for one in top_ups],
        tx.now,
    )


async def add_deposits(tx: Transaction, deposits: Mapping[WalletId, Decimal]) -> None:
    """Count what came into locked wallets towards their open requests, which it may pay."""
    await tx.execute(ADD_DEPOSITS, list(deposits), list(deposits.values()), tx.now)


async def cancel(tx: Transaction, wallet_ids: Collection[UUID]) -> None:
    """Give up the open requests of locked wallets."""
    await tx.execute(CANCEL, list(wallet_ids), tx.now)


async def list_page(
    tx: Transaction, wallet_id: UUID, request: PageRequest, status: TopUpStatus | None
) -> Page[TopUp]:
    """A wallet's requests, newest first; of one status where it is given."""
    pages = tx.pieces(SELECT_PAGE, wallet_id, status, request.limit, request.offset)
    found = [_top_up(row) async for rows in pages for row in rows]
    total = await tx.fetchval(COUNT, wallet_id, status)
    return Page(found, total, request.offset)


def _rule(row: asyncpg.Record) -> AutoTopUp:
    return AutoTopUp(
        threshold=row["top_up_threshold"],
        amount=row["top_up_amount"],
        monthly_limit=row["top_up_monthly_limit"],
    )


def _top_up(row: asyncpg.Record) -> TopUp:
    return TopUp(
        id=TopUpId(row["id"]),
        wallet_id=WalletId(row["wallet_id"]),
        currency=row["currency"],
        amount=row["amount"],
        deposited_amount=row["deposited_amount"],
        status=TopUpStatus(row["status"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        settled_at=row["settled_at"],
    )
