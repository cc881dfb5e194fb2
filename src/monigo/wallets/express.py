"""The express way: movements that need no question are one statement, and that is all.

What is out of the ordinary has not moved when it ends, and goes the usual way (`move_all`), which
decides by the rules and tells the reason.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

import asyncpg

from monigo import ledger
from monigo.core.ids import (
    ApiKeyId,
    CustomerId,
    LedgerAccountId,
    TransactionId,
    TransferId,
    WalletId,
)
from monigo.infra.database import Database, Tenant
from monigo.infra.ids import new_id
from monigo.ledger import Direction
from monigo.wallets import express_store
from monigo.wallets.movements import movement_hash, movement_posting
from monigo.wallets.rules import entries_of
from monigo.wallets.types import Movement, MovementResult, Wallet, WalletAccounts, WalletStatus


async def move_express(
    database: Database,
    tenant: Tenant,
    api_key_ids: Collection[ApiKeyId],
    movements: Sequence[Movement],
    now: datetime,
) -> list[MovementResult] | None:
    """Credit and debit wallets in one statement, in the given order; None where nothing moved.

    Nothing moves where anything is out of the ordinary: a key that may not write, a wallet that is
    not active or has a rule, too little in it, another currency, a repeat. `now` is the live time.
    """
    transfer_ids = [TransferId(new_id()) for _ in movements]
    transaction_ids = [TransactionId(new_id()) for _ in movements]
    hashes = [movement_hash(movement) for movement in movements]
    try:
        rows = await express_store.move(
            database, tenant, api_key_ids, movements, transfer_ids, transaction_ids, hashes, now
        )
    except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError):
        return None
    if not rows:
        return None
    made = {row["id"]: row for row in rows}
    return [
        _result(movement, transaction_id, made[transfer_id], now)
        for movement, transfer_id, transaction_id in zip(
            movements, transfer_ids, transaction_ids, strict=True
        )
    ]


def _result(
    movement: Movement, transaction_id: TransactionId, row: asyncpg.Record, now: datetime
) -> MovementResult:
    is_debit = movement.direction is Direction.DEBIT
    wallet = Wallet(
        id=WalletId(row["wallet_id"]),
        customer_id=CustomerId(row["customer_id"]),
        currency=movement.currency,
        status=WalletStatus.ACTIVE,
        balance=row["from_balance_after"] if is_debit else row["to_balance_after"],
        reserved_balance=row["reserved_balance"],
        accounts=WalletAccounts(
            money=LedgerAccountId(row["money_account_id"]),
            reserved=LedgerAccountId(row["reserved_account_id"]),
            provider=LedgerAccountId(row["provider_account_id"]),
            revenue=LedgerAccountId(row["revenue_account_id"]),
        ),
        entries=row["from_sequence"] if is_debit else row["to_sequence"],
        top_up_threshold=None,
        created_at=row["created_at"],
        updated_at=now,
    )
    posting = movement_posting(wallet, movement, transaction_id)
    return MovementResult(wallet, entries_of(wallet, ledger.transfer_made(row, posting, now)))
