"""Routes that move a wallet's money.

Here they are documented, and answer requests that carry an Idempotency-Key, whose record commits
with the effect. `movements_hot` answers all others, many at once.
"""

from fastapi import APIRouter

from monigo import wallets
from monigo.api.kernel.http.errors import INSUFFICIENT_RESPONSE
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id
from monigo.api.merchant.wallets.movements.schemas import CreditIn, DebitIn, MovementOut
from monigo.api.merchant.wallets.schemas import WALLET
from monigo.core.access import Permission
from monigo.core.ids import WalletId
from monigo.wallets import Direction

router = APIRouter(route_class=TenantRoute, tags=["wallets"])


@router.post("/wallets/{wallet_id}/credit", responses=INSUFFICIENT_RESPONSE)
@atomic(Permission.WALLETS_CREDIT, changes=WALLET)
async def credit_wallet(tx: Tx, wallet_id: Id, body: CreditIn) -> MovementOut:
    """Put money into a wallet; the same idempotency_key again returns the first answer."""
    movement = body.movement(WalletId(wallet_id), Direction.CREDIT)
    return MovementOut.of(tx.tenant, await wallets.credit(tx, movement))


@router.post("/wallets/{wallet_id}/debit", responses=INSUFFICIENT_RESPONSE)
@atomic(Permission.WALLETS_DEBIT, changes=WALLET)
async def debit_wallet(tx: Tx, wallet_id: Id, body: DebitIn) -> MovementOut:
    """Take money from a wallet: all of the amount, or 402 and nothing."""
    movement = body.movement(WalletId(wallet_id), Direction.DEBIT)
    return MovementOut.of(tx.tenant, await wallets.move(tx, movement))
