"""Routes of payments of invoices: links, tries, refunds."""

import asyncio

from fastapi import APIRouter, Request
from msgspec import Struct
from starlette.responses import Response

from monigo import collection
from monigo.api.kernel.changes import Changes
from monigo.api.kernel.routes.declarations import Outside, atomic, staged
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import Answer
from monigo.api.merchant.invoices.payments.schemas import (
    TRANSACTION,
    InitiatedOut,
    InvoiceTransactionEnvelope,
    InvoiceTransactionList,
    InvoiceTransactionOut,
    LinkIn,
    RefundEnvelope,
    RefundIn,
    RefundOut,
)
from monigo.api.merchant.payment_links import ChargeIntent, failed_link, send_charge, usual_url
from monigo.collection import Refunded
from monigo.core.access import Permission
from monigo.core.ids import RefundId
from monigo.core.paging import Page
from monigo.infra.db import Transaction
from monigo.payments import refunds
from monigo.payments.charges import Charge, ChargeKind, ChargeState
from monigo.payments.refunds import Refund, RefundState

router = APIRouter(route_class=TenantRoute, tags=["payments"])

REFUND = Changes(
    "refund",
    Refunded,
    lambda tx, made: RefundOut.of(tx, made.whole),
    id_of=lambda _tx, made: made.refunds[0].id,
)

# What is asked for without a body.
USUAL = LinkIn()


class RefundIntent(Struct, frozen=True):
    """Refunds that were made, and are to be sent: one for each payment that goes back."""

    refund_ids: tuple[RefundId, ...]


async def _initiated(tx: Transaction, _intent: ChargeIntent, charge: Charge) -> Response:
    return failed_link(charge) or Answer(InitiatedOut.of(tx, charge), 200)


async def _retried(tx: Transaction, _intent: ChargeIntent, charge: Charge) -> Response:
    shown = InvoiceTransactionEnvelope(transaction=InvoiceTransactionOut.of(tx, charge))
    if charge.kind is ChargeKind.CHECKOUT:
        return failed_link(charge) or Answer(shown, 200)
    is_open = charge.is_live and charge.state is not ChargeState.NEEDS_ACTION
    return Answer(shown, 202 if is_open else 200)


async def _send_refunds(outside: Outside, intent: RefundIntent) -> list[Refund]:
    services = outside.services
    return await asyncio.gather(
        *(
            refunds.submit_refund(services.desk, services.database, outside.tenant, refund_id)
            for refund_id in intent.refund_ids
        )
    )


async def _refunded(tx: Transaction, _intent: RefundIntent, made: list[Refund]) -> Response:
    unknown = {RefundState.CREATED, RefundState.SUBMITTED, RefundState.UNKNOWN}
    is_open = any(refund.state in unknown for refund in made)
    return Answer(RefundEnvelope.of(tx, made), 202 if is_open else 201)


@router.post("/invoices/{invoice_id}/initiate-payment", response_model=InitiatedOut)
@staged(Permission.INVOICES_COLLECT, changes=TRANSACTION, call=send_charge, record=_initiated)
async def initiate_payment(
    tx: Tx, request: Request, invoice_id: Id, body: LinkIn = USUAL
) -> ChargeIntent:
    """Make a link by which what is due of an invoice is paid; the open one stands for it.

    503 where the provider has not answered: asked again, the same link is made.
    """
    wanted = body.wanted(usual_url(request))
    charge = await collection.initiate_payment(tx, invoice_id, wanted)
    return ChargeIntent(charge.id)


@router.get("/invoices/{invoice_id}/transactions", response_model=InvoiceTransactionList)
@atomic(Permission.INVOICES_READ)
async def list_transactions(tx: Tx, invoice_id: Id) -> ListResponse:
    """List the tries to take what is due of an invoice, newest first."""
    found = await collection.list_transactions(tx, invoice_id)
    page = Page(found, len(found), 0)
    return ListResponse("transactions", page, lambda one: InvoiceTransactionOut.of(tx, one))


@router.post(
    "/invoices/{invoice_id}/transactions/{transaction_id}/retry",
    response_model=InvoiceTransactionEnvelope,
    responses={202: {"model": InvoiceTransactionEnvelope, "description": "Not decided yet."}},
)
@staged(Permission.INVOICES_COLLECT, changes=TRANSACTION, call=send_charge, record=_retried)
async def retry_transaction(
    tx: Tx, request: Request, invoice_id: Id, transaction_id: Id
) -> ChargeIntent:
    """Try again what failed: by the saved payment method, or else by a link. Takes no body."""
    wanted = USUAL.wanted(usual_url(request))
    charge = await collection.retry(tx, invoice_id, transaction_id, wanted)
    return ChargeIntent(charge.id)


@router.post(
    "/invoices/{invoice_id}/refunds",
    status_code=201,
    response_model=RefundEnvelope,
    responses={202: {"model": RefundEnvelope, "description": "Not decided yet."}},
)
@staged(Permission.INVOICES_REFUND, changes=REFUND, call=_send_refunds, record=_refunded)
async def refund_invoice(tx: Tx, invoice_id: Id, body: RefundIn) -> RefundIntent:
    """Return what was paid of an invoice, or a part of it; nothing of it falls due again.

    The newest payment goes back first, then the others, each by a refund of its own.
    """
    made = await collection.refund(tx, invoice_id, body.wanted())
    return RefundIntent(tuple(refund.id for refund in made.refunds))
