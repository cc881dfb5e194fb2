"""Routes that move a wallet's money, whose requests go together when many come at once."""

import json as stdlib_json
from enum import StrEnum
from typing import Annotated, Any, Self, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import Field, StringConstraints, ValidationError

from monigo import wallets
from monigo.api.errors import INSUFFICIENT_RESPONSE
from monigo.api.fields import Amount, Id, Incoming, Metadata, Name, Outgoing, Text
from monigo.api.routing import Shortcut, TenantRoute, Tx, goes_together
from monigo.api.wallet_fields import EntryOut, WalletOut
from monigo.bootstrap import Services
from monigo.core.ids import WalletId, parse_id
from monigo.infra.database import Tenant
from monigo.tenancy import KeyReference
from monigo.wallets import Direction, EntryType, Movement, MovementResult

router = APIRouter(route_class=TenantRoute, tags=["wallets"])

BodyKey = Annotated[Name, StringConstraints(min_length=1)]


class MovementType(StrEnum):
    """Why a merchant moves money."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    USAGE = "usage"
    REFUND = "refund"
    ADJUSTMENT = "adjustment"


class DebitIn(Incoming):
    """Money to take from a wallet."""

    amount: Amount = Field(examples=["1500.000000"])
    currency: Name = Field(examples=["NGN"])
    entry_type: MovementType = Field(examples=["usage"])
    idempotency_key: BodyKey = Field(
        examples=["order-1"], description="unique in the wallet; a repeat gets the first answer"
    )
    description: Text | None = None
    reference_type: Name | None = None
    reference_id: Name | None = None
    metadata: Metadata | None = None

    def movement(self, wallet_id: WalletId, direction: Direction) -> Movement:
        """The movement that is asked for."""
        return Movement(
            wallet_id=wallet_id,
            direction=direction,
            amount=self.amount,
            currency=self.currency,
            entry_type=EntryType(self.entry_type.value),
            idempotency_key=self.idempotency_key,
            **self.given("description", "reference_type", "reference_id", "metadata"),
            **self.given("provider_id"),
        )


class CreditIn(DebitIn):
    """Money to put into a wallet."""

    entry_type: MovementType = Field(examples=["deposit"])
    provider_id: Name | None = Field(default=None, description="who received the money")


class MovementOut(Outgoing):
    """The wallet after a movement, and the movement's two sides."""

    wallet: WalletOut
    ledger_entries: list[EntryOut]

    @classmethod
    def of(cls, tenant: Tenant, result: MovementResult) -> Self:
        """The wire form."""
        return cls(
            wallet=WalletOut.of(tenant, result.wallet),
            ledger_entries=[EntryOut.of(tenant, entry) for entry in result.entries],
        )


BodyIn = TypeVar("BodyIn", bound=DebitIn)


def _together(direction: Direction, body_type: type[DebitIn]) -> Shortcut:
    """Answers a movement through the teller."""

    async def answer(caller: KeyReference, request: Request) -> Response:
        services: Services = request.app.state.services
        wallet_id, body = await _read(request, body_type)
        result = await services.teller.move(caller, body.movement(wallet_id, direction))
        out = MovementOut.of(caller.tenant, result)
        return Response(out.model_dump_json(), media_type="application/json")

    return answer


async def _read(request: Request, body_type: type[BodyIn]) -> tuple[WalletId, BodyIn]:
    """Path and body as the framework would read them, every fault of either at once.

    Raises:
        RequestValidationError: with the faults.
    """
    faults: list[Any] = []
    wallet_id, body = parse_id(request.path_params["wallet_id"]), None
    if wallet_id is None:
        faults.append({"type": "uuid", "loc": ("path", "wallet_id"), "msg": "must be a UUID"})
    try:
        body = body_type.model_validate(await request.json())
    except ValidationError as error:
        faults += [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
    except stdlib_json.JSONDecodeError:
        kind = "json_invalid" if await request.body() else "missing"
        faults.append({"type": kind, "loc": ("body",), "msg": "is not valid JSON"})
    if wallet_id is None or body is None:
        raise RequestValidationError(faults)
    return WalletId(wallet_id), body


@router.post("/wallets/{wallet_id}/credit", responses=INSUFFICIENT_RESPONSE)
@goes_together(_together(Direction.CREDIT, CreditIn))
async def credit_wallet(tx: Tx, wallet_id: Id, body: CreditIn) -> MovementOut:
    """Put money into a wallet; the same idempotency_key again returns the first answer."""
    movement = body.movement(WalletId(wallet_id), Direction.CREDIT)
    return MovementOut.of(tx.tenant, await wallets.move(tx, movement))


@router.post("/wallets/{wallet_id}/debit", responses=INSUFFICIENT_RESPONSE)
@goes_together(_together(Direction.DEBIT, DebitIn))
async def debit_wallet(tx: Tx, wallet_id: Id, body: DebitIn) -> MovementOut:
    """Take money from a wallet: all of the amount, or 402 and nothing."""
    movement = body.movement(WalletId(wallet_id), Direction.DEBIT)
    return MovementOut.of(tx.tenant, await wallets.move(tx, movement))
