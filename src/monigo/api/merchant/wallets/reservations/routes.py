"""Routes of reservations: money held, then captured or released."""

from typing import Self

from fastapi import APIRouter
from pydantic import Field

from monigo import wallets
from monigo.api.kernel.http.errors import INSUFFICIENT_RESPONSE
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.fields import (
    Amount,
    Id,
    Incoming,
    InstantIn,
    ListEnvelope,
    Metadata,
    Name,
    Outgoing,
    Text,
    Whole,
)
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.wallets.movements.routes import BodyKey
from monigo.api.merchant.wallets.schemas import EntryOut, ReservationOut, WalletOut
from monigo.core.ids import WalletId
from monigo.core.permissions import Permission
from monigo.infra.db import Tenant
from monigo.wallets import ReservationRequest, ReservationResult

router = APIRouter(route_class=TenantRoute, tags=["wallets"])


class ReservationIn(Incoming):
    """Money to hold; for an hour, if no other time is said."""

    amount: Amount = Field(examples=["1500.000000"])
    currency: Name = Field(examples=["NGN"])
    idempotency_key: BodyKey = Field(examples=["checkout-1"])
    expires_in_seconds: Whole | None = Field(default=None, examples=[900])
    expires_at: InstantIn = None
    description: Text | None = None
    reference_type: Name | None = None
    reference_id: Name | None = None
    metadata: Metadata | None = None

    def request(self, wallet_id: WalletId) -> ReservationRequest:
        """The reservation that is asked for."""
        return ReservationRequest(
            wallet_id=wallet_id,
            amount=self.amount,
            currency=self.currency,
            idempotency_key=self.idempotency_key,
            expires_in_seconds=self.expires_in_seconds,
            expires_at=self.expires_at,
            **self.given("description", "reference_type", "reference_id", "metadata"),
        )


class CaptureIn(Incoming):
    """How much of a reservation to spend; all of it where nothing is said."""

    amount: Amount | None = Field(default=None, examples=["900.000000"])


class ReservationEnvelope(Outgoing):
    """A reservation, its wallet, and the entries of what was done."""

    reservation: ReservationOut
    wallet: WalletOut
    ledger_entries: list[EntryOut]

    @classmethod
    def of(cls, tenant: Tenant, result: ReservationResult) -> Self:
        """The wire form."""
        return cls(
            reservation=ReservationOut.of(tenant, result.reservation),
            wallet=WalletOut.of(tenant, result.wallet),
            ledger_entries=[
                EntryOut.of(tenant, entry)
                for entry in wallets.entries_of(result.wallet, result.transfers)
            ],
        )


class ReservationList(ListEnvelope):
    """Reservations, newest first."""

    reservations: list[ReservationOut]


@router.post("/wallets/{wallet_id}/reservations", status_code=201, responses=INSUFFICIENT_RESPONSE)
@atomic(Permission.WALLETS_RESERVE)
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
@atomic(Permission.WALLETS_RESERVE)
async def capture_reservation(
    tx: Tx, wallet_id: Id, reservation_id: Id, body: CaptureIn | None = None
) -> ReservationEnvelope:
    """Spend what is held, or part of it; the rest can be spent again."""
    amount = None if body is None else body.amount
    result = await wallets.capture(tx, wallet_id, reservation_id, amount)
    return ReservationEnvelope.of(tx.tenant, result)


@router.post("/wallets/{wallet_id}/reservations/{reservation_id}/release")
@atomic(Permission.WALLETS_RESERVE)
async def release_reservation(tx: Tx, wallet_id: Id, reservation_id: Id) -> ReservationEnvelope:
    """Give up a reservation: what it holds can be spent again."""
    result = await wallets.release(tx, wallet_id, reservation_id)
    return ReservationEnvelope.of(tx.tenant, result)
