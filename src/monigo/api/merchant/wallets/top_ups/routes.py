"""Routes of auto top-up: a wallet's rule, and what it asked for."""

from typing import Annotated

from fastapi import APIRouter, Query

from monigo import wallets
from monigo.api.kernel.changes import Changes
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import CANCELED, Id, also_spelled
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import Message
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.wallets.top_ups.schemas import (
    AutoTopUpEnvelope,
    AutoTopUpIn,
    AutoTopUpOut,
    TopUpList,
    TopUpOut,
)
from monigo.core.access import Permission
from monigo.wallets import AutoTopUp, TopUpStatus, WalletRule

router = APIRouter(route_class=TenantRoute, tags=["wallets"])

StatusQuery = Annotated[TopUpStatus | None, also_spelled(CANCELED)]

AUTO_TOP_UP = Changes(
    "auto_top_up",
    WalletRule,
    lambda _tx, known: AutoTopUpOut.of(known.wallet_id, known.rule),
    lambda _tx, known: known.wallet_id,
)


@router.get("/wallets/{wallet_id}/auto-top-up")
@atomic(Permission.WALLETS_READ)
async def get_auto_top_up(tx: Tx, wallet_id: Id) -> AutoTopUpEnvelope:
    """Read a wallet's rule for topping up; 404 where it has none."""
    rule = await wallets.get_auto_top_up(tx, wallet_id)
    return AutoTopUpEnvelope(auto_top_up=AutoTopUpOut.of(wallet_id, rule))


@router.put("/wallets/{wallet_id}/auto-top-up")
@atomic(Permission.WALLETS_WRITE, changes=AUTO_TOP_UP)
async def set_auto_top_up(tx: Tx, wallet_id: Id, body: AutoTopUpIn) -> AutoTopUpEnvelope:
    """Have a wallet ask for money when its balance is low, by an event and an open top-up."""
    wanted = AutoTopUp(body.threshold, body.amount, body.monthly_limit)
    rule = await wallets.set_auto_top_up(tx, wallet_id, wanted)
    return AutoTopUpEnvelope(auto_top_up=AutoTopUpOut.of(wallet_id, rule))


@router.delete("/wallets/{wallet_id}/auto-top-up")
@atomic(Permission.WALLETS_WRITE, changes=AUTO_TOP_UP)
async def delete_auto_top_up(tx: Tx, wallet_id: Id) -> Message:
    """Have a wallet ask for nothing any more; what is open is canceled."""
    await wallets.delete_auto_top_up(tx, wallet_id)
    return Message(message="auto top-up deleted")


@router.get("/wallets/{wallet_id}/top-ups", response_model=TopUpList)
@atomic(Permission.WALLETS_READ)
async def list_top_ups(
    tx: Tx,
    wallet_id: Id,
    paging: Paging,
    status: Annotated[StatusQuery, Query()] = None,
) -> ListResponse:
    """List what a wallet's rule asked for, newest first."""
    page = await wallets.list_top_ups(tx, wallet_id, paging, status)
    return ListResponse("top_ups", page, lambda item: TopUpOut.of(tx.tenant, item))
