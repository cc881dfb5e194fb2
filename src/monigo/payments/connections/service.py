"""Use cases of connections: made and changed once their keys were accepted, used, switched off."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec.structs import replace

from monigo import tenancy
from monigo.core.errors import DomainError, conflict, invalid, not_found
from monigo.core.ids import ConnectionId
from monigo.core.paging import Page, PageRequest, page_of
from monigo.infra import agenda, outbox, registry
from monigo.infra.agenda import Entry, Follows, Kind, Slices, Task
from monigo.infra.crypto import Vault
from monigo.infra.db import RowLock, Tenant, Transaction
from monigo.infra.ids import new_id
from monigo.payments.connections import calls_store, store
from monigo.payments.connections.events import PaymentConnectionChanged
from monigo.payments.connections.keys import KeyCipher
from monigo.payments.connections.rules import (
    connection_after,
    credentials_after,
    currencies_of,
    offers,
    previous_secrets,
    usual_currencies,
)
from monigo.payments.connections.types import (
    PREVIOUS_SECRET_VALID_FOR,
    Accepted,
    Connection,
    ConnectionChanges,
    ConnectionDeletion,
    Credentials,
    FeeBearer,
    NewCredentials,
    ProviderCall,
    Purpose,
)
from monigo.providers.registry import adapter_of

# A merchant has a few accounts; a leak of creations can't fill the table.
CONNECTIONS_MAX = 100
CALLS_KEPT_FOR = timedelta(days=30)
CALL_EXPIRY = Kind("provider_call_expiry", Follows.REAL)
EXPIRY_SPAN = timedelta(days=1)


async def new_connection(tx: Transaction, provider: str, *, is_test_mode: bool) -> Connection:
    """A connection that is not stored yet, with what is usual for the organisation's country.

    Raises:
        DomainError: invalid, for a provider that does not exist; conflict, where the organisation
            has too many connections.
    """
    try:
        capabilities = adapter_of(provider).capabilities
    except DomainError as error:
        raise invalid({"provider": "must be a known provider"}) from error
    if await store.count(tx) >= CONNECTIONS_MAX:
        raise conflict("too_many_connections", f"there are {CONNECTIONS_MAX} connections already")
    country = (await tenancy.get_organization(tx)).country
    return Connection(
        id=ConnectionId(new_id()),
        provider=capabilities.name,
        label=capabilities.title,
        is_enabled=True,
        is_test_mode=is_test_mode,
        supported_currencies=usual_currencies(capabilities, country),
        default_for={},
        channels=(),
        fee_bearer=FeeBearer.MERCHANT,
        provider_options={},
        forward_url="",
        created_at=tx.real_now,
        updated_at=tx.real_now,
    )


async def get(tx: Transaction, connection_id: UUID) -> Connection:
    """A connection with what it has of both modes. Raises not_found."""
    return await _with_both_modes(tx, _found(await store.load(tx, connection_id)))


async def list_page(tx: Transaction, request: PageRequest) -> Page[Connection]:
    """Connections with what they have of both modes, newest first."""
    page = page_of(await store.list_all(tx), request)
    found = await _credentials_of_both(tx, [one.id for one in page.items])
    shown = [_with(one, found.get(one.id, {})) for one in page.items]
    return Page(shown, page.total, page.offset)


async def find(tx: Transaction, connection_id: UUID) -> Connection | None:
    """A connection with its credentials of the transaction's mode; None for an unknown one.

    It is found when it is switched off, too. Until the transaction ends it is not deleted.
    """
    connection = await store.load(tx, connection_id)
    if connection is None:
        return None
    return await _with_own_mode(tx, connection)


async def of_provider(tx: Transaction, provider: str) -> list[Connection]:
    """A provider's connections that have keys of the transaction's mode, the oldest first."""
    found = await store.list_all(tx, provider)
    known = await store.load_credentials(tx, [one.id for one in found])
    return [_with(one, {tx.is_test: known[one.id]}) for one in reversed(found) if one.id in known]


async def pick(
    tx: Transaction,
    *,
    currency: str,
    purpose: Purpose,
    provider: str | None = None,
    is_for_reading: bool = False,
) -> Connection | None:
    """The connection for something new in a currency, with its credentials; None without one.

    It is the currency's default if that can be used, else the oldest that can. A suspended
    organisation has none, but for reading. Until the transaction ends the connection is not
    deleted.
    """
    if not is_for_reading and (await tenancy.get_organization(tx)).suspended_at is not None:
        return None
    found = list(reversed(await store.list_all(tx, provider)))
    known = await store.load_credentials(tx, [one.id for one in found], RowLock.KEEP)
    usable = [
        one
        for one in (_with(each, _own(tx, known.get(each.id))) for each in found)
        if offers(one, is_test=tx.is_test, purpose=purpose, currency=currency)
    ]
    preferred = [one for one in usable if currency in one.default_for.get(purpose, ())]
    return next(iter([*preferred, *usable]), None)


def merged(
    vault: Vault, tenant: Tenant, connection: Connection, changes: ConnectionChanges, now: datetime
) -> tuple[Connection, dict[bool, NewCredentials]]:
    """A connection with the changes, and the credentials of each mode that it has then.

    Raises:
        DomainError: invalid, naming every field at fault.
    """
    capabilities = adapter_of(connection.provider).capabilities
    after, faults = connection, dict[str, str]()
    try:
        after = connection_after(connection, changes, now=now)
    except DomainError as error:
        faults |= error.fields
    by_mode: dict[bool, NewCredentials] = {}
    for is_test in (True, False):
        present = connection.credentials.get(is_test)
        cipher = KeyCipher(vault, Tenant(tenant.org_id, is_test), connection.id)
        try:
            wanted = credentials_after(
                capabilities,
                changes.of_mode(is_test=is_test, usual=connection.is_test_mode),
                is_test=is_test,
                present=present,
                secrets=cipher.secrets_of(present),
            )
        except DomainError as error:
            faults |= error.fields
        else:
            if wanted is not None:
                by_mode[is_test] = wanted
    if faults:
        raise invalid(faults)
    if not by_mode:
        raise invalid({f"{_mode(is_test=connection.is_test_mode)}_secret_key": "is required"})
    return after, by_mode


async def save(
    tx: Transaction,
    vault: Vault,
    changed: tuple[Connection, Mapping[bool, NewCredentials]],
    *,
    before: Connection | None,
    changes: ConnectionChanges,
    accepted: Mapping[bool, Accepted],
) -> Connection:
    """Store a connection whose keys the provider has accepted; `before` is locked, None if new.

    The secrets that it had are valid for webhooks for 72 hours more.
    """
    connection, by_mode = changed
    if before is None:
        await store.insert(tx, connection)
    else:
        await store.update(tx, connection)
    for is_test, wanted in by_mode.items():
        async with tenancy.bound_to(tx, Tenant(tx.org_id, is_test)) as own:
            present = None if before is None else before.credentials.get(is_test)
            answer = accepted.get(is_test, Accepted())
            await _store_credentials(
                own, vault, connection, present=present, wanted=wanted, accepted=answer
            )
    await _store_defaults(tx, connection, changes, is_new=before is None)
    saved = await get(tx, connection.id)
    tx.changed(before, saved)
    await _report_changed(tx, saved)
    return saved


async def lock(tx: Transaction, connection_id: UUID) -> Connection:
    """A connection with what it has of both modes, which nobody else changes. Raises not_found."""
    found = await store.load(tx, connection_id, RowLock.EXCLUSIVE)
    return await _with_both_modes(tx, _found(found))


async def toggle(tx: Transaction, connection_id: UUID) -> Connection:
    """Switch a connection off that is on, or on that is off.

    One that is off starts nothing new; what is under way is asked about, and webhooks are heard.

    Raises:
        DomainError: not_found.
    """
    before = await lock(tx, connection_id)
    after = replace(before, is_enabled=not before.is_enabled, updated_at=tx.real_now)
    await store.update(tx, after)
    tx.changed(before, after)
    await _report_changed(tx, after)
    return after


async def delete(tx: Transaction, connection_id: UUID) -> None:
    """Delete a connection and its keys.

    Raises:
        DomainError: not_found; conflict, where something needs it in either mode.
    """
    before = await lock(tx, connection_id)
    for is_test in (True, False):
        async with tenancy.bound_to(tx, Tenant(tx.org_id, is_test)) as own:
            # Against who picks it at this moment.
            await store.load_credentials(own, [before.id], RowLock.EXCLUSIVE)
            await registry.ask(own, ConnectionDeletion(before.id))
            await store.forget_credentials(own, before.id)
    await store.hide(tx, before.id)
    tx.changed(before, None)


async def list_calls(
    tx: Transaction, connection_id: UUID, request: PageRequest
) -> Page[ProviderCall]:
    """A connection's calls of the last thirty days in the transaction's mode, newest first.

    Raises:
        DomainError: not_found.
    """
    connection = _found(await store.load(tx, connection_id))
    return await calls_store.list_calls(tx, connection.id, request)


async def keep_calls(
    tx: Transaction, connection_id: ConnectionId, calls: list[ProviderCall]
) -> None:
    """Store calls that were made just now, for thirty days."""
    if calls:
        await calls_store.insert_calls(tx, connection_id, calls)
        await agenda.put_for_span(
            tx, CALL_EXPIRY, tx.real_now, span=EXPIRY_SPAN, after=CALLS_KEPT_FOR
        )


async def forget_calls(tx: Transaction, _entries: Sequence[Entry]) -> tuple[()]:
    """Delete calls of too long ago."""
    await calls_store.delete_calls_before(tx, tx.real_now - CALLS_KEPT_FOR)
    return ()


FORGET_CALLS = Task(CALL_EXPIRY, Slices(forget_calls), concurrency=1, every_seconds=60)


async def note_webhook(tx: Transaction, connection_id: ConnectionId) -> None:
    """Note in a connection's health that a webhook of the transaction's mode came."""
    await store.note_webhook(tx, connection_id, tx.real_now)


async def _report_changed(tx: Transaction, connection: Connection) -> None:
    """Report in each mode of which a locked or new connection has keys that it is another now."""
    changed = PaymentConnectionChanged(
        connection_id=connection.id,
        provider=connection.provider,
        is_enabled=connection.is_enabled,
    )
    for is_test in connection.credentials:
        async with tenancy.bound_to(tx, Tenant(tx.org_id, is_test)) as own:
            await outbox.emit(own, [changed])


async def _store_credentials(
    tx: Transaction,
    vault: Vault,
    connection: Connection,
    *,
    present: Credentials | None,
    wanted: NewCredentials,
    accepted: Accepted,
) -> None:
    cipher = KeyCipher(vault, tx.tenant, connection.id)
    capabilities = adapter_of(connection.provider).capabilities
    known = cipher.secrets_of(present)
    replaced = None if known is None else previous_secrets(capabilities, known, wanted.secrets)
    ciphertext, until = (
        (None, None) if present is None else (present.previous_ciphertext, present.previous_until)
    )
    if replaced:
        ciphertext = cipher.encrypt_previous(replaced)
        until = tx.real_now + PREVIOUS_SECRET_VALID_FOR
    credentials = Credentials(
        is_test=tx.is_test,
        keys_ciphertext=cipher.encrypt(wanted.secrets),
        public_key=wanted.public_key,
        contract_code=wanted.contract_code,
        source_account_number=wanted.source_account_number,
        has_webhook_secret=bool(wanted.secrets.webhook),
        previous_ciphertext=ciphertext,
        previous_until=until,
    )
    await store.put_credentials(tx, connection.id, credentials)
    await keep_calls(tx, connection.id, list(accepted.calls))
    if accepted.health is not None:
        await store.note_health(tx, connection.id, accepted.health, None)


async def _store_defaults(
    tx: Transaction, connection: Connection, changes: ConnectionChanges, *, is_new: bool
) -> None:
    wanted = changes.default_for or {}
    for purpose in Purpose:
        codes = wanted.get(purpose, connection.supported_currencies)
        await store.leave_defaults(tx, connection.id, purpose, codes)
    await store.put_defaults(tx, connection.id, wanted, only_free=False)
    if is_new or changes.supported_currencies is not None:
        usable = {
            purpose: [
                code
                for code in currencies_of(connection.provider, purpose)
                if code in connection.supported_currencies
            ]
            for purpose in Purpose
            if purpose not in wanted
        }
        await store.put_defaults(tx, connection.id, usable, only_free=True)


async def _with_both_modes(tx: Transaction, connection: Connection) -> Connection:
    found = await _credentials_of_both(tx, [connection.id])
    return _with(connection, found.get(connection.id, {}))


async def _with_own_mode(tx: Transaction, connection: Connection) -> Connection:
    known = await store.load_credentials(tx, [connection.id], RowLock.KEEP)
    return _with(connection, _own(tx, known.get(connection.id)))


async def _credentials_of_both(
    tx: Transaction, ids: list[ConnectionId]
) -> dict[ConnectionId, dict[bool, Credentials]]:
    found: dict[ConnectionId, dict[bool, Credentials]] = {}
    for is_test in (True, False):
        async with tenancy.bound_to(tx, Tenant(tx.org_id, is_test)) as own:
            for known_id, credentials in (await store.load_credentials(own, ids)).items():
                found.setdefault(known_id, {})[is_test] = credentials
    return found


def _own(tx: Transaction, credentials: Credentials | None) -> dict[bool, Credentials]:
    return {} if credentials is None else {tx.is_test: credentials}


def _with(connection: Connection, credentials: Mapping[bool, Credentials]) -> Connection:
    return replace(connection, credentials=credentials)


def _mode(*, is_test: bool) -> str:
    return "test" if is_test else "live"


def _found(connection: Connection | None) -> Connection:
    if connection is None:
        raise not_found("payment_connection")
    return connection
