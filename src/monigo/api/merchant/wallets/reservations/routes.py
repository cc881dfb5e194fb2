"""Routes of reservations: money held, then captured or released."""

from fastapi import APIRouter

from monigo import wallets
from monigo.api.kernel.changes import Changes
from monigo.api.kernel.http.errors import INSUFFICIENT_RESPONSE
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.wallets.reservations.schemas import (
    CaptureIn,
    ReservationEnvelope,
    ReservationIn,
    ReservationList,
    ReservationOut,
)
from monigo.core.access import Permission
from monigo.core.ids import WalletId
from monigo.wallets import Reservation

router = APIRouter(route_class=TenantRoute, tags=["wallets"])

RESERVATION = Changes(
    "reservation", Reservation, lambda tx, held: ReservationOut.of(tx.tenant, held)
)


@router.post("/wallets/{wallet_id}/reservations", status_code=201, responses=INSUFFICIENT_RESPONSE)
@atomic(Permission.WALLETS_RESERVE, changes=RESERVATION)
async def reserve_in_wallet(tx: Tx, wallet_id: Id, body: ReservationIn) -> ReservationEnvelope:
    """Hold part of a wallet's balance, so that nothing else can spend it."""
    result = await wallets.reserve(tx, body.request(WalletId(wallet_id)))
    return ReservationEnvelope.of(tx.tenant, result)


@router.get("/wallets/{wallet_id}/reservations", response_model=ReservationList)
@atomic(Permission.WALLETS_READ)
async def list_reservations(tx: Tx, wallet_id: Id, paging: Paging) -> ListResponse:
    """List a wallet's reservations, newest first."""
    page = await wallets.list_reservations(tx, wallet_id, paging)
    return ListResponse("reservations", page, lambda item: ReservationOut.of(tx.tenant, item))


@router.post(
    "/wallets/{wallet_id}/reservations/{reservation_id}/capture",
    openapi_extra={
        "requestBody": {"content": {"application/json": {"example": {"amount": "900.000000"}}}}
    },
)
@atomic(Permission.WALLETS_RESERVE, changes=RESERVATION)
async def capture_reservation(
    tx: Tx, wallet_id: Id, reservation_id: Id, body: CaptureIn | None = None
) -> ReservationEnvelope:
    """Spend what is held, or part of it; the rest can be spent again."""
    amount = None if body is None else body.amount
    result = await wallets.capture(tx, wallet_id, reservation_id, amount)
    return ReservationEnvelope.of(tx.tenant, result)


@router.post("/wallets/{wallet_id}/reservations/{reservation_id}/release")
@atomic(Permission.WALLETS_RESERVE, changes=RESERVATION)
async def release_reservation(tx: Tx, wallet_id: Id, reservation_id: Id) -> ReservationEnvelope:
    """Give up a reservation: what it holds can be spent again."""
    result = await wallets.release(tx, wallet_id, reservation_id)
    return ReservationEnvelope.of(tx.tenant, result)
