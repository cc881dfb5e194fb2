"""Routes of notices by WhatsApp."""

from typing import Annotated, NoReturn

from fastapi import APIRouter, Depends, Request
from msgspec import Struct
from starlette.responses import Response

from monigo.api.kernel.changes import Unaudited
from monigo.api.kernel.http.errors import UNSUPPORTED_RESPONSE, error_response
from monigo.api.kernel.routes.declarations import Outside, atomic, staged
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import Answer, Message
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.whatsapp.schemas import (
    CONNECTION,
    MESSAGE,
    SETTINGS,
    WhatsAppConnectIn,
    WhatsAppConnectionEnvelope,
    WhatsAppMessageLogList,
    WhatsAppMessageLogOut,
    WhatsAppPairingCodeIn,
    WhatsAppSettingsEnvelope,
    WhatsAppSettingsIn,
    WhatsAppTestEnvelope,
    WhatsAppTestIn,
)
from monigo.bootstrap import Services
from monigo.core.access import Permission
from monigo.core.errors import DomainError, ErrorKind, invalid
from monigo.core.ids import WhatsAppMessageId
from monigo.infra.crypto import Vault
from monigo.infra.db import Transaction
from monigo.notifications import whatsapp
from monigo.notifications.whatsapp import MessageStatus, Saving
from monigo.providers.whatsapp import PhoneNumber

router = APIRouter(route_class=TenantRoute, tags=["whatsapp"], prefix="/whatsapp")
RETRY_SECONDS = 5
_PAIRED = "the Cloud API pairs no phone: connect a number by its token"


# Async, because FastAPI sends plain functions to a thread.
async def _vault(request: Request) -> Vault:
    services: Services = request.app.state.services
    return services.messenger.vault


VaultOfProcess = Annotated[Vault, Depends(_vault)]


class _Tried(Struct, frozen=True):
    """What WhatsApp said of a token, and the vault that its secrets are kept by."""

    vault: Vault
    found: PhoneNumber | DomainError


async def _try(outside: Outside, saving: Saving) -> _Tried:
    messenger = outside.services.messenger
    found = await whatsapp.try_out(messenger.client, messenger.vault, outside.tenant, saving)
    return _Tried(messenger.vault, found)


async def _store(tx: Transaction, saving: Saving, tried: _Tried) -> Response:
    if isinstance(tried.found, DomainError):
        return error_response(tried.found)
    connection = await whatsapp.record(tx, tried.vault, saving, tried.found)
    return Answer(WhatsAppConnectionEnvelope.of(connection))


@router.post("/connect", response_model=WhatsAppConnectionEnvelope)
@staged(Permission.WHATSAPP_CONNECT, changes=CONNECTION, call=_try, record=_store)
async def connect_whatsapp(tx: Tx, vault: VaultOfProcess, body: WhatsAppConnectIn) -> Saving:
    """Connect a number at the Cloud API, which is asked whether it knows the token.

    A number that is connected already gets the new token and secrets; 409 where it is another one,
    503 where WhatsApp can't be asked now. Its webhooks go to /webhooks/whatsapp/{org_id}.
    """
    return await whatsapp.plan(tx, vault, body.wanted())


@router.get("/connection")
@atomic(Permission.WHATSAPP_READ)
async def get_whatsapp_connection(tx: Tx) -> WhatsAppConnectionEnvelope:
    """Read which number is connected, and how WhatsApp answers."""
    return WhatsAppConnectionEnvelope.of(await whatsapp.get_connection(tx))


@router.post("/disconnect")
@atomic(Permission.WHATSAPP_CONNECT, changes=CONNECTION)
async def disconnect_whatsapp(tx: Tx) -> Message:
    """Forget the number and its secrets; what waits to be sent by it goes out by mail."""
    await whatsapp.disconnect(tx)
    return Message(message="whatsapp disconnected")


@router.get("/qr", responses=UNSUPPORTED_RESPONSE)
@atomic(Permission.WHATSAPP_READ)
async def get_whatsapp_qr(tx: Tx) -> Message:
    """Answer 501: the Cloud API has no QR code by which a phone is linked."""
    del tx
    _unsupported()


@router.post("/pairing-code", responses=UNSUPPORTED_RESPONSE)
@atomic(Permission.WHATSAPP_CONNECT, changes=Unaudited("it does nothing"))
async def request_whatsapp_pairing_code(tx: Tx, body: WhatsAppPairingCodeIn) -> Message:
    """Answer 501: the Cloud API has no code by which a phone is linked."""
    del tx, body
    _unsupported()


@router.get("/notification-settings")
@atomic(Permission.WHATSAPP_READ)
async def get_whatsapp_notification_settings(tx: Tx) -> WhatsAppSettingsEnvelope:
    """Read which notices go by WhatsApp, and what their templates' parameters are."""
    return WhatsAppSettingsEnvelope.of(await whatsapp.get_settings(tx))


@router.put("/notification-settings")
@atomic(Permission.WHATSAPP_WRITE, changes=SETTINGS)
async def update_whatsapp_notification_settings(
    tx: Tx, body: WhatsAppSettingsIn
) -> WhatsAppSettingsEnvelope:
    """Change which notices go by WhatsApp; those that are not named stay as they are.

    A notice that is enabled goes by WhatsApp to customers with a phone, and by mail to the others
    and where it does not arrive.
    """
    return WhatsAppSettingsEnvelope.of(await whatsapp.update_settings(tx, body.changes()))


@router.get("/message-logs", response_model=WhatsAppMessageLogList)
@atomic(Permission.WHATSAPP_READ)
async def list_whatsapp_message_logs(tx: Tx, paging: Paging) -> ListResponse:
    """List messages of the last 180 days and what became of them, newest first."""
    page = await whatsapp.list_messages(tx, paging)
    return ListResponse("message_logs", page, WhatsAppMessageLogOut.of)


class WhatsAppTest(Struct, frozen=True):
    """A test message that is to be sent."""

    message_id: WhatsAppMessageId


async def _send(outside: Outside, written: WhatsAppTest) -> None:
    services = outside.services
    await services.messenger.send(services.database, outside.tenant, written.message_id)


async def _answer(tx: Transaction, written: WhatsAppTest, _sent: None) -> Response:
    sent = await whatsapp.get_message(tx, written.message_id)
    if sent.status is not MessageStatus.FAILED:
        shown = WhatsAppTestEnvelope("test message sent", WhatsAppMessageLogOut.of(sent))
        return Answer(shown)
    if sent.error_code is None:
        return error_response(
            DomainError(
                ErrorKind.UNAVAILABLE,
                "whatsapp_unavailable",
                f"WhatsApp can't be asked to send it: {sent.reason}",
                retry_after_seconds=RETRY_SECONDS,
            )
        )
    return error_response(invalid({"customer_id": f"WhatsApp refused it: {sent.reason}"}))


@router.post("/test", response_model=WhatsAppTestEnvelope)
@staged(Permission.WHATSAPP_WRITE, changes=MESSAGE, call=_send, record=_answer)
async def send_whatsapp_test(tx: Tx, body: WhatsAppTestIn) -> WhatsAppTest:
    """Send Meta's sample template `hello_world` to a customer.

    The log has what becomes of it; 404 where no number is connected, 503 where WhatsApp can't be
    reached.
    """
    return WhatsAppTest(await whatsapp.write_test(tx, body.customer_id))


def _unsupported() -> NoReturn:
    raise DomainError(ErrorKind.UNSUPPORTED, "whatsapp_pairing_unsupported", _PAIRED)
