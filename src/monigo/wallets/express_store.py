"""The two statements of the express way; each is a transaction of its own."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from monigo.core.ids import ApiKeyId, CustomerId, LedgerAccountId, WalletId
from monigo.infra.database import Database, Tenant
from monigo.ledger import Direction
from monigo.wallets.store import accounts_of
from monigo.wallets.types import KnownWallet, Movement

FIND = """
    SELECT id, customer_id, currency, money_account_id, reserved_account_id, provider_account_id,
        revenue_account_id, created_at
    FROM find_wallets($1, $2, $3)
"""

MOVE = """
    SELECT id, reserved_balance, from_balance_before, from_balance_after, from_sequence,
        to_balance_before, to_balance_after, to_sequence
    FROM move_without_question($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""


async def find(
    database: Database, tenant: Tenant, wallet_ids: Collection[WalletId]
) -> list[KnownWallet]:
    """Those of these wallets that the tenant has."""
    return [
        KnownWallet(
            id=WalletId(row["id"]),
            customer_id=CustomerId(row["customer_id"]),
            currency=row["currency"],
            accounts=accounts_of(row),
            created_at=row["created_at"],
        )
        for row in await database.call(tenant, FIND, list(wallet_ids))
    ]


async def move(
    database: Database,
    tenant: Tenant,
    api_key_ids: Collection[ApiKeyId],
    *,
    movements: Sequence[tuple[Movement, bytes]],
    wallets: Mapping[WalletId, KnownWallet],
    postings: tuple[Sequence[LedgerAccountId], Sequence[tuple[Any, ...]]],
    now: datetime,
) -> list[asyncpg.Record]:
    """Make the movements, in their order: a row for each, or none where nothing was moved.

    Each comes with its content's hash; `postings` are their transfers (`ledger.posting_arguments`).
    """
    wallet_ids = sorted({movement.wallet_id for movement, _ in movements})
    places = {wallet_id: place for place, wallet_id in enumerate(wallet_ids, 1)}
    return await database.call(
        tenant,
        MOVE,
        list(api_key_ids),
        wallet_ids,
        [wallets[wallet_id].accounts.reserved for wallet_id in wallet_ids],
        {movement.wallet_id for movement, _ in movements if movement.direction is Direction.CREDIT},
        [
            (places[movement.wallet_id], movement.direction is Direction.CREDIT, content_hash)
            for movement, content_hash in movements
        ],
        *postings,
        now,
    )
