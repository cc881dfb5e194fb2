"""Routes of transactions of whatever purpose."""

from fastapi import APIRouter

from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id
from monigo.api.merchant.transactions.schemas import (
    TRANSACTION,
    ResolvedEnvelope,
    ResolvedOut,
    ResolveIn,
)
from monigo.core.access import Permission
from monigo.payments import refunds

router = APIRouter(route_class=TenantRoute, tags=["transactions"], prefix="/transactions")


@router.post("/{transaction_id}/resolve")
@atomic(Permission.TRANSACTIONS_RESOLVE, changes=TRANSACTION)
async def resolve_transaction(tx: Tx, transaction_id: Id, body: ResolveIn) -> ResolvedEnvelope:
    """Decide what became of a payment, refund or payout that the provider says nothing of.

    The provider's later word still wins. 409 where it has decided already.
    """
    resolved = await refunds.resolve_transaction(
        tx, transaction_id, body.outcome, provider_id=body.provider_id or "", note=body.note
    )
    return ResolvedEnvelope(transaction=ResolvedOut.of(tx, resolved))
