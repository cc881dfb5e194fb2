"""The one statement of the express way."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from monigo.core.ids import ApiKeyId, TransactionId, TransferId, WalletId
from monigo.infra import json
from monigo.infra.database import Database, Tenant
from monigo.ledger import AccountKind, Direction
from monigo.wallets.rules import counter_kind
from monigo.wallets.types import Movement

MOVE = """
    SELECT id, wallet_id, customer_id, created_at, money_account_id, reserved_account_id,
        provider_account_id, revenue_account_id, reserved_balance, from_balance_before,
        from_balance_after, from_sequence, to_balance_before, to_balance_after, to_sequence
    FROM move_without_question(
        $1, $2, $3::uuid[], $4::uuid[], $5::integer[], $6::text[], $7::integer[], $8::integer[],
        $9::uuid[], $10::uuid[], $11::numeric[], $12::text[], $13::text[], $14::text[],
        $15::text[], $16::text[], $17::text[], $18::text[], $19::text[]::jsonb[], $20::bytea[], $21
    )
"""


async def move(  # noqa: PLR0917 - a group of movements, and what is made of each
    database: Database,
    tenant: Tenant,
    api_key_ids: Collection[ApiKeyId],
    movements: Sequence[Movement],
    transfer_ids: Sequence[TransferId],
    transaction_ids: Sequence[TransactionId],
    hashes: Sequence[bytes],
    now: datetime,
) -> list[asyncpg.Record]:
    """Make the movements, in their order: a row for each, or none where nothing was moved."""
    wallet_ids: list[UUID] = sorted({movement.wallet_id for movement in movements})
    places = {WalletId(known): place for place, known in enumerate(wallet_ids, 1)}
    counters: dict[tuple[int, AccountKind], int] = {}
    sources: list[int] = []
    targets: list[int] = []
    for movement in movements:
        money = places[movement.wallet_id]
        kind = counter_kind(movement.direction, movement.entry_type)
        counter = counters.setdefault((money, kind), len(places) + len(counters) + 1)
        is_debit = movement.direction is Direction.DEBIT
        sources.append(money if is_debit else counter)
        targets.append(counter if is_debit else money)
    return await database.call(
        tenant,
        MOVE,
        list(api_key_ids),
        wallet_ids,
        [place for place, _ in counters],
        [kind.value for _, kind in counters],
        sources,
        targets,
        transfer_ids,
        transaction_ids,
        [movement.amount for movement in movements],
        [movement.currency for movement in movements],
        [movement.entry_type.value for movement in movements],
        [movement.description for movement in movements],
        [movement.reference_type for movement in movements],
        [movement.reference_id for movement in movements],
        [movement.provider_id for movement in movements],
        [movement.idempotency_key for movement in movements],
        [json.encode(movement.metadata) for movement in movements],
        hashes,
        now,
    )
