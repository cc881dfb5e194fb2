"""The express way: movements that need no question are one statement, and that is all.

What is out of the ordinary has not moved when it ends, and goes the usual way (`move_all`), which
decides by the rules and tells the reason.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

import asyncpg

from monigo import ledger
from monigo.core.ids import ApiKeyId, TransactionId, TransferId, WalletId
from monigo.infra.database import Database, Tenant
from monigo.infra.ids import new_id
from monigo.ledger import Direction
from monigo.wallets import express_store
from monigo.wallets.movements import movement_hash, movement_posting
from monigo.wallets.types import KnownWallet, Movement, MovementResult, Wallet, WalletStatus

# About 40 MB.
REMEMBERED_MAX = 50_000


class Express:
    """The express way for all tenants of this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wallets: dict[tuple[Tenant, WalletId], KnownWallet] = {}

    async def move(
        self,
        tenant: Tenant,
        api_key_ids: Collection[ApiKeyId],
        movements: Sequence[Movement],
        *,
        now: datetime,
    ) -> list[MovementResult] | None:
        """Credit and debit wallets in one statement, in the given order; None where nothing moved.

        Nothing moves where anything is out of the ordinary: a key that may not write, a wallet that
        is not there, not active or has a rule, too little in it, another currency, a repeat. `now`
        is the tenant's time.
        """
        wallets = await self._find(tenant, {movement.wallet_id for movement in movements})
        if wallets is None:
            return None
        transfer_ids = [TransferId(new_id()) for _ in movements]
        postings = [
            movement_posting(
                wallets[movement.wallet_id].accounts, movement, TransactionId(new_id())
            )
            for movement in movements
        ]
        try:
            rows = await express_store.move(
                self._database,
                tenant,
                api_key_ids,
                movements=[(movement, movement_hash(movement)) for movement in movements],
                wallets=wallets,
                postings=ledger.posting_arguments(transfer_ids, postings),
                now=now,
            )
        except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError):
            return None
        if not rows:
            return None
        made = {row["id"]: row for row in rows}
        return [
            MovementResult(
                _wallet_after(
                    wallets[movement.wallet_id], movement.direction, made[transfer_id], now
                ),
                [ledger.transfer_made(made[transfer_id], posting, now)],
            )
            for movement, transfer_id, posting in zip(
                movements, transfer_ids, postings, strict=True
            )
        ]

    async def _find(
        self, tenant: Tenant, wallet_ids: Collection[WalletId]
    ) -> dict[WalletId, KnownWallet] | None:
        """The wallets, from memory where they are known; None where one is not there."""
        known = {
            one: wallet
            for one in wallet_ids
            if (wallet := self._wallets.get((tenant, one))) is not None
        }
        unknown = [one for one in wallet_ids if one not in known]
        if not unknown:
            return known
        found = await express_store.find(self._database, tenant, unknown)
        if len(found) < len(unknown):
            return None
        if len(self._wallets) + len(found) > REMEMBERED_MAX:
            self._wallets.clear()
        for wallet in found:
            self._wallets[tenant, wallet.id] = known[wallet.id] = wallet
        return known


def _wallet_after(
    wallet: KnownWallet, direction: Direction, row: asyncpg.Record, now: datetime
) -> Wallet:
    is_debit = direction is Direction.DEBIT
    return Wallet(
        id=wallet.id,
        customer_id=wallet.customer_id,
        currency=wallet.currency,
        status=WalletStatus.ACTIVE,
        balance=row["from_balance_after"] if is_debit else row["to_balance_after"],
        reserved_balance=row["reserved_balance"],
        accounts=wallet.accounts,
        entries=row["from_sequence"] if is_debit else row["to_sequence"],
        top_up_threshold=None,
        created_at=wallet.created_at,
        updated_at=now,
    )
