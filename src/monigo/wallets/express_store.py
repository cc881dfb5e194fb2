"""The one statement of the express way."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from monigo.core.ids import ApiKeyId, WalletId
from monigo.infra.database import Database, Tenant
from monigo.wallets.types import Movement, Wallet

MOVE = """
    SELECT id, reserved_balance, from_balance_before, from_balance_after, from_sequence,
        to_balance_before, to_balance_after, to_sequence
    FROM move_without_question(
        $1, $2, $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::integer[], $8::text[],
        $9::bytea[], $10::uuid[], $11::integer[], $12::integer[], $13::uuid[], $14::uuid[],
        $15::numeric[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[],
        $21::text[], $22::text[], $23::text[]::jsonb[], $24
    )
"""


async def move(
    database: Database,
    tenant: Tenant,
    api_key_ids: Collection[ApiKeyId],
    *,
    movements: Sequence[tuple[Movement, bytes]],
    wallets: Mapping[WalletId, Wallet],
    transfers: Sequence[Sequence[Any]],
    now: datetime,
) -> list[asyncpg.Record]:
    """Make the movements, in their order: a row for each, or none where nothing was moved.

    Each comes with its content's hash; `transfers` are the columns of their transfers.
    """
    wallet_ids = sorted({movement.wallet_id for movement, _ in movements})
    places = {wallet_id: place for place, wallet_id in enumerate(wallet_ids, 1)}
    moved = [wallets[wallet_id] for wallet_id in wallet_ids]
    return await database.call(
        tenant,
        MOVE,
        list(api_key_ids),
        wallet_ids,
        [wallet.customer_id for wallet in moved],
        [wallet.accounts.reserved for wallet in moved],
        [places[movement.wallet_id] for movement, _ in movements],
        [movement.direction.value for movement, _ in movements],
        [content_hash for _, content_hash in movements],
        *transfers,
        now,
    )
