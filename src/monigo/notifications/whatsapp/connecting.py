"""How a number is connected: what is wanted is kept, its token is tried, and all is stored."""

from base64 import b64decode, b64encode

import msgspec
from msgspec import Struct

from monigo.core.errors import DomainError, ErrorKind, conflict, invalid, not_found
from monigo.core.ids import WhatsAppConnectionId
from monigo.infra.crypto import Vault
from monigo.infra.db import RowLock, Tenant, Transaction
from monigo.infra.ids import new_id
from monigo.notifications.whatsapp import connections_store as store
from monigo.notifications.whatsapp.rules import check_connection
from monigo.notifications.whatsapp.types import Connection, NewConnection, Saving, Secrets
from monigo.providers.whatsapp import (
    OBJECT_CODE,
    TOKEN_CODES,
    Keys,
    NoAnswer,
    NotSent,
    PhoneNumber,
    Refused,
    WhatsAppClient,
)

_SECRETS, _WANTED = "whatsapp secrets", "whatsapp connection"
RETRY_SECONDS = 5
# As Meta says of a secret that is not the token's app's.
_OF_SECRET = "appsecret_proof"  # noqa: S105 - a field's name


class Opened(Struct, frozen=True):
    """A connection, and its secrets in the clear."""

    connection: Connection
    secrets: Secrets

    @property
    def keys(self) -> Keys:
        """What requests are made with."""
        return keys_of(self.secrets)

    def __repr__(self) -> str:
        return f"Opened({self.connection.id})"


def keys_of(secrets: Secrets) -> Keys:
    """What requests are made with."""
    return Keys(secrets.access_token, secrets.app_secret)


async def plan(tx: Transaction, vault: Vault, wanted: NewConnection) -> Saving:
    """Check a number that is to be connected, as far as that needs no network.

    Raises:
        DomainError: invalid, naming every field at fault; conflict, where another number is
            connected.
    """
    check_connection(wanted)
    present = await store.load(tx)
    if present is not None and present.phone_number_id != wanted.phone_number_id:
        raise _other_number(present)
    connection_id = WhatsAppConnectionId(new_id()) if present is None else present.id
    context = _context(tx.tenant, connection_id)
    ciphertext = vault.encrypt(_WANTED, msgspec.json.encode(wanted), context=context)
    return Saving(connection_id, b64encode(ciphertext).decode())


async def try_out(
    client: WhatsAppClient, vault: Vault, tenant: Tenant, saving: Saving
) -> PhoneNumber | DomainError:
    """The number, as WhatsApp knows it; or why it can't be connected. Nothing is made by it."""
    wanted = _wanted(vault, tenant, saving)
    found = await client.look_up(
        keys_of(wanted.secrets), wanted.phone_number_id, is_test=tenant.is_test
    )
    match found:
        case PhoneNumber():
            return found
        case Refused():
            return _refusal(found)
        case NotSent() | NoAnswer():
            return DomainError(
                ErrorKind.UNAVAILABLE,
                "whatsapp_unavailable",
                f"WhatsApp can't be asked whether the token is right: {found.reason}",
                retry_after_seconds=RETRY_SECONDS,
            )


async def record(
    tx: Transaction, vault: Vault, saving: Saving, found: PhoneNumber | DomainError
) -> Connection:
    """Store a connection whose token WhatsApp has accepted.

    Raises:
        DomainError: why it has not; conflict, where another number was connected meanwhile.
    """
    if isinstance(found, DomainError):
        raise found
    wanted = _wanted(vault, tx.tenant, saving)
    before = await store.load(tx, RowLock.CHANGE)
    connection_id = saving.connection_id if before is None else before.id
    is_stored = await store.put(
        tx,
        connection_id,
        ids=(wanted.phone_number_id, wanted.business_account_id),
        shown=(found.display_number, found.verified_name),
        secrets_ciphertext=_sealed(vault, tx.tenant, connection_id, wanted.secrets),
    )
    after = await store.load(tx)
    if after is None or not is_stored:
        raise _other_number(after)
    tx.changed(before, after)
    return after


async def disconnect(tx: Transaction) -> None:
    """Forget the number and its secrets; what waits to be sent by it goes out by mail.

    Raises:
        DomainError: not_found, where none is connected.
    """
    connection = await store.load(tx, RowLock.EXCLUSIVE)
    if connection is None:
        raise not_found("whatsapp_connection")
    await store.delete(tx, connection.id)
    tx.changed(connection, None)


async def opened(tx: Transaction, vault: Vault) -> Opened | None:
    """The connection with its secrets; None where no number is connected.

    Secrets under an old key of the installation are encrypted anew, so that it can go.
    """
    connection = await store.load(tx)
    if connection is None:
        return None
    context = _context(tx.tenant, connection.id)
    sealed = connection.secrets_ciphertext
    secrets = msgspec.json.decode(vault.decrypt(_SECRETS, sealed, context=context), type=Secrets)
    if not vault.is_current(sealed):
        renewed = _sealed(vault, tx.tenant, connection.id, secrets)
        await store.renew_secrets(tx, connection.id, before=sealed, after=renewed)
    return Opened(connection, secrets)


def _wanted(vault: Vault, tenant: Tenant, saving: Saving) -> NewConnection:
    context = _context(tenant, saving.connection_id)
    plain = vault.decrypt(_WANTED, b64decode(saving.ciphertext), context=context)
    return msgspec.json.decode(plain, type=NewConnection)


def _sealed(
    vault: Vault, tenant: Tenant, connection_id: WhatsAppConnectionId, secrets: Secrets
) -> bytes:
    plain = msgspec.json.encode(secrets)
    return vault.encrypt(_SECRETS, plain, context=_context(tenant, connection_id))


def _context(tenant: Tenant, connection_id: WhatsAppConnectionId) -> bytes:
    mode = b"test" if tenant.is_test else b"live"
    return tenant.org_id.bytes + connection_id.bytes + mode


def _refusal(found: Refused) -> DomainError:
    """Meta's refusal, of the field that it is about."""
    if _OF_SECRET in found.reason:
        return invalid({"app_secret": "is not the secret of the app that the token is of"})
    if found.code == OBJECT_CODE:
        return invalid({"phone_number_id": f"WhatsApp refused it: {found.reason}"})
    if found.code in TOKEN_CODES:
        return invalid({"access_token": f"WhatsApp refused it: {found.reason}"})
    return invalid({"access_token": f"can't be used now: {found.reason}"})


def _other_number(present: Connection | None) -> DomainError:
    shown = "another number" if present is None else present.display_number
    return conflict("whatsapp_connected", f"{shown} is connected: disconnect it first")
