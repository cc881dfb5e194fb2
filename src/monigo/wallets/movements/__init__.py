"""Movements: the one way in which money moves; locked, decided, posted, and what follows."""

from monigo.wallets.movements.batcher import MovementBatcher
from monigo.wallets.movements.member_credits import credit
from monigo.wallets.movements.requests import content_hash, wallet_then
from monigo.wallets.movements.rules import MOVE_PERMISSIONS
from monigo.wallets.movements.service import (
    MovementBatch,
    lock,
    lock_free,
    lock_of_owners,
    move,
    post,
)

__all__ = [
    "MOVE_PERMISSIONS",
    "MovementBatch",
    "MovementBatcher",
    "content_hash",
    "credit",
    "lock",
    "lock_free",
    "lock_of_owners",
    "move",
    "post",
    "wallet_then",
]
