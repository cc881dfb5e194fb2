"""Routes of payouts of bills: transfers, tries, holds."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter
from msgspec import Struct
from msgspec.structs import replace
from starlette.responses import Response

from monigo import invoicing, payouts
from monigo.api.kernel.changes import Unaudited
from monigo.api.kernel.http.errors import UNSUPPORTED_RESPONSE
from monigo.api.kernel.routes.declarations import Outside, atomic, staged
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import Answer, Message
from monigo.api.merchant.bills.payouts.schemas import (
    PAYOUT,
    TRANSACTION,
    UNDECIDED,
    BillTransactionEnvelope,
    BillTransactionList,
    BillTransactionOut,
    HoldIn,
    InitiatedPayoutOut,
    PasswordIn,
)
from monigo.api.merchant.bills.schemas import BillEnvelope
from monigo.catalog import PlanType
from monigo.core.access import Permission
from monigo.core.ids import InvoiceId, PayoutTransferId
from monigo.core.paging import Page
from monigo.infra.db import Transaction
from monigo.payments import transfers
from monigo.payments.transfers import Transfer, TransferState

ASKS = Unaudited("the provider sends a message; nothing of the organisation's changes")

router = APIRouter(route_class=TenantRoute, tags=["payouts"])


class PayoutIntent(Struct, frozen=True):
    """Transfers of a bill that are to be sent, and of what goes with it."""

    bill_id: InvoiceId
    transfer_ids: list[PayoutTransferId]


async def _send(outside: Outside, intent: PayoutIntent) -> Sequence[Transfer]:
    services = outside.services
    return await transfers.submit(
        services.desk, services.database, outside.tenant, intent.transfer_ids
    )


async def _initiated(tx: Transaction, intent: PayoutIntent, _sent: Sequence[Transfer]) -> Response:
    bill = await invoicing.get(tx, intent.bill_id, plan_type=PlanType.PAYOUT)
    own = await payouts.list_transactions(tx, bill.id)
    found = [one for one in own if one.id in intent.transfer_ids]
    shown = InitiatedPayoutOut.of(tx, (await BillEnvelope.of(tx, bill)).bill, found)
    return Answer(shown, 202 if shown.is_undecided else 200)


@router.post(
    "/bills/{bill_id}/initiate-payout",
    response_model=InitiatedPayoutOut,
    responses={202: {"model": InitiatedPayoutOut, "description": "Not decided yet."}},
)
@staged(Permission.PAYOUTS_WRITE, changes=PAYOUT, call=_send, record=_initiated)
async def initiate_payout(tx: Tx, bill_id: Id) -> PayoutIntent:
    """Send what is owed of a bill: all of it, or what failed. Takes no body.

    What the payee has below the minimum goes with it. What is on its way is not sent again.
    """
    made = await payouts.initiate(tx, bill_id)
    return PayoutIntent(InvoiceId(bill_id), [one.id for one in made])


@router.get("/bills/{bill_id}/transactions", response_model=BillTransactionList)
@atomic(Permission.BILLS_READ)
async def list_bill_transactions(tx: Tx, bill_id: Id) -> ListResponse:
    """List the tries to pay a bill out, newest first."""
    found = await payouts.list_transactions(tx, bill_id)
    page = Page(found, len(found), 0)
    return ListResponse("transactions", page, lambda one: BillTransactionOut.of(tx, one))


@router.post(
    "/bills/{bill_id}/transactions/{transaction_id}/retry",
    response_model=InitiatedPayoutOut,
    responses={202: {"model": InitiatedPayoutOut, "description": "Not decided yet."}},
)
@staged(Permission.PAYOUTS_WRITE, changes=PAYOUT, call=_send, record=_initiated)
async def retry_bill_transaction(tx: Tx, bill_id: Id, transaction_id: Id) -> PayoutIntent:
    """Send again what failed, to the account that the payee has now. Takes no body."""
    made = await payouts.retry(tx, bill_id, transaction_id)
    return PayoutIntent(InvoiceId(bill_id), [one.id for one in made])


class PasswordIntent(Struct, frozen=True):
    """A transfer that waits for a one-time password; the password stands in the request only."""

    bill_id: InvoiceId
    transfer_id: PayoutTransferId


async def _authorize(outside: Outside, intent: PasswordIntent) -> Transfer:
    body = PasswordIn.model_validate(await outside.request.json())
    services = outside.services
    return await transfers.authorize(
        services.desk, services.database, outside.tenant, intent.transfer_id, body.otp
    )


async def _authorized(tx: Transaction, intent: PasswordIntent, _sent: Transfer) -> Response:
    after = await payouts.get_transaction(tx, intent.bill_id, intent.transfer_id)
    waiting = replace(after.transfer, state=TransferState.NEEDS_ACTION, needs_otp=True)
    tx.changed(replace(after, transfer=waiting), after)
    shown = BillTransactionOut.of(tx, after)
    return Answer(BillTransactionEnvelope(shown), 202 if shown.state in UNDECIDED else 200)


@router.post(
    "/bills/{bill_id}/transactions/{transaction_id}/authorize",
    response_model=BillTransactionEnvelope,
    responses={
        202: {"model": BillTransactionEnvelope, "description": "Not decided yet."},
        **UNSUPPORTED_RESPONSE,
    },
)
@staged(Permission.PAYOUTS_WRITE, changes=TRANSACTION, call=_authorize, record=_authorized)
async def authorize_bill_transaction(
    tx: Tx, bill_id: Id, transaction_id: Id, body: PasswordIn
) -> PasswordIntent:
    """Have a transfer go on that waits for the one-time password which its provider sent."""
    del body  # Is read again for the call, so that it is stored nowhere.
    return await _waiting(tx, bill_id, transaction_id)


async def _resend(outside: Outside, intent: PasswordIntent) -> None:
    services = outside.services
    await transfers.resend_otp(services.desk, services.database, outside.tenant, intent.transfer_id)


async def _resent(_tx: Transaction, _intent: PasswordIntent, _sent: None) -> Response:
    return Answer(Message(message="the provider sends a new one-time password"))


@router.post(
    "/bills/{bill_id}/transactions/{transaction_id}/resend-otp",
    response_model=Message,
    responses=UNSUPPORTED_RESPONSE,
)
@staged(Permission.PAYOUTS_WRITE, changes=ASKS, call=_resend, record=_resent)
async def resend_bill_transaction_otp(tx: Tx, bill_id: Id, transaction_id: Id) -> PasswordIntent:
    """Have the provider send the merchant a new one-time password of a transfer. Takes no body."""
    return await _waiting(tx, bill_id, transaction_id)


async def _waiting(tx: Transaction, bill_id: UUID, transaction_id: UUID) -> PasswordIntent:
    found = await payouts.get_transaction(tx, bill_id, transaction_id)
    transfers.expect_password(found.transfer)
    return PasswordIntent(found.bill_id, found.transfer.id)


@router.post("/bills/{bill_id}/hold")
@atomic(Permission.PAYOUTS_WRITE, changes=PAYOUT)
async def hold_bill(tx: Tx, bill_id: Id, body: HoldIn) -> BillEnvelope:
    """Have nothing of a bill sent until it is released; 409 while a transfer is on its way."""
    held = await payouts.hold(tx, bill_id, body.reason)
    return await _shown(tx, held.bill_id)


@router.post("/bills/{bill_id}/release")
@atomic(Permission.PAYOUTS_WRITE, changes=PAYOUT)
async def release_bill(tx: Tx, bill_id: Id) -> BillEnvelope:
    """Let a held bill go on; what somebody is to initiate still waits for that. Takes no body."""
    released = await payouts.release(tx, bill_id)
    return await _shown(tx, released.bill_id)


async def _shown(tx: Transaction, bill_id: InvoiceId) -> BillEnvelope:
    return await BillEnvelope.of(tx, await invoicing.get(tx, bill_id, plan_type=PlanType.PAYOUT))
