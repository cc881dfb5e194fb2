"""Use cases of organisations and API keys."""

import secrets
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from monigo.core.access import (
    Permission,
    Principal,
    Scope,
    api_key,
    only_reading,
    permissions_of,
    scopes_of,
)
from monigo.core.errors import (
    DomainError,
    ErrorKind,
    InvariantError,
    conflict,
    ensure,
    invalid,
    not_found,
)
from monigo.core.ids import ApiKeyId, OrganizationId
from monigo.infra import outbox
from monigo.infra.db import Database, Tenant, Transaction
from monigo.infra.ids import new_id
from monigo.tenancy import store
from monigo.tenancy.events import (
    ApiKeyIssued,
    ApiKeyRevoked,
    ApiKeySwitched,
    OrganizationActivated,
    OrganizationCreated,
    OrganizationSettingsChanged,
    OrganizationSuspended,
)
from monigo.tenancy.rules import (
    KEY_PREFIX_SHOWN,
    KEY_PREFIXES,
    checked,
    secret_hash,
    with_settings,
)
from monigo.tenancy.settings import (
    AUTOMATIC,
    AccessSettings,
    CollectionSettings,
    LimitSettings,
    MailSettings,
    PayoutSettings,
    RetentionSettings,
)
from monigo.tenancy.types import (
    ALL_SCOPES,
    ApiKey,
    IssuedKey,
    NewOrganization,
    Organization,
)

KEY_NAME_LENGTH_MAX = 200
# Enough for every service of a large platform; a leak of creations can't fill the table.
KEYS_MAX = 1_000


async def create_organization(database: Database, name: str) -> Organization:
    """A new organisation with the usual settings: Lagos's country and currency, UTC, no taxes."""
    org_id = OrganizationId(new_id())
    async with database.transaction(Tenant(org_id, is_test=False)) as tx:
        return await add_organization(tx, NewOrganization(name))


async def add_organization(tx: Transaction, wanted: NewOrganization) -> Organization:
    """Make the organisation that the transaction is bound to, of which there is nothing yet.

    Raises:
        DomainError: invalid, naming every setting at fault.
    """
    organization = checked(
        Organization(
            id=tx.org_id,
            name=wanted.name,
            country=wanted.country,
            billing=wanted.billing,
            retention=RetentionSettings(),
            limits=LimitSettings(),
            access=AccessSettings(),
            collection=CollectionSettings(),
            payouts=PayoutSettings(),
            mails=MailSettings(),
            created_at=tx.real_now,
            updated_at=tx.real_now,
        )
    )
    await store.insert_organization(tx, organization)
    await outbox.emit(tx, [OrganizationCreated(organization_id=organization.id)])
    tx.changed(None, organization)
    return organization


async def get_organization(tx: Transaction) -> Organization:
    """The transaction's organisation."""
    organization = await store.load_organization(tx)
    ensure(organization, "a tenant transaction belongs to an organisation")
    return organization  # pyright: ignore[reportReturnType] - ensured above


async def update_organization(tx: Transaction, changes: Mapping[str, Any]) -> Organization:
    """Change the named settings. Periods that exist keep the time zone they were made with.

    Raises:
        DomainError: invalid, naming every setting at fault; forbidden, where somebody else than an
            owner has live payouts sent that nobody looked at.
    """
    organization = await store.load_organization(tx, for_update=True)
    if organization is None:
        raise InvariantError("a tenant transaction belongs to an organisation")
    changed = checked(with_settings(organization, {**changes, "updated_at": tx.real_now}))
    is_automated = changed.payouts.payout_mode == AUTOMATIC != organization.payouts.payout_mode
    if is_automated and not tx.principal.may(Permission.PAYOUTS_AUTOMATE):
        message = "only an owner can have live payouts sent automatically"
        raise DomainError(ErrorKind.FORBIDDEN, "owner_only", message)
    await store.update_organization(tx, changed)
    names = tuple(sorted(changes))
    fact = OrganizationSettingsChanged(organization_id=changed.id, changed=names)
    await outbox.emit(tx, [fact])
    tx.changed(organization, changed)
    return changed


async def suspend_organization(database: Database, org_id: OrganizationId) -> Organization:
    """Let people and keys of an organisation only read, from the next transaction on.

    What runs by itself goes on: periods end and are billed. Again it changes nothing.

    Raises:
        DomainError: not_found.
    """
    return await _set_suspended(database, org_id, is_suspended=True)


async def activate_organization(database: Database, org_id: OrganizationId) -> Organization:
    """End an organisation's suspension.

    Raises:
        DomainError: not_found.
    """
    return await _set_suspended(database, org_id, is_suspended=False)


async def _set_suspended(
    database: Database, org_id: OrganizationId, *, is_suspended: bool
) -> Organization:
    async with database.transaction(Tenant(org_id, is_test=False)) as tx:
        organization = await store.load_organization(tx, for_update=True)
        if organization is None:
            raise not_found("organization")
        if (organization.suspended_at is not None) is is_suspended:
            return organization
        suspended_at = tx.real_now if is_suspended else None
        await store.set_suspended(tx, suspended_at)
        fact = OrganizationSuspended if is_suspended else OrganizationActivated
        await outbox.emit(tx, [fact(organization_id=org_id)])
        return replace(organization, suspended_at=suspended_at, updated_at=tx.real_now)


async def require_active(tx: Transaction) -> None:
    """Refuse what would change something of the transaction's organisation while it is suspended.

    For what comes to it by no key and no role in it.

    Raises:
        DomainError: forbidden.
    """
    if (await get_organization(tx)).suspended_at is not None:
        raise organization_suspended()


async def issue_key(
    database: Database,
    org_id: OrganizationId,
    *,
    name: str,
    is_test_mode: bool,
    scopes: Sequence[Scope] = ALL_SCOPES,
    expires_at: datetime | None = None,
) -> IssuedKey:
    """Make a key for an existing organisation, in a transaction of its own; as `add_key`."""
    async with database.transaction(Tenant(org_id, is_test_mode)) as tx:
        return await add_key(
            tx, name=name, is_test_mode=is_test_mode, scopes=scopes, expires_at=expires_at
        )


async def add_key(
    tx: Transaction,
    *,
    name: str,
    is_test_mode: bool,
    scopes: Sequence[Scope] = ALL_SCOPES,
    expires_at: datetime | None = None,
) -> IssuedKey:
    """Make a key for the transaction's organisation. Its secret is in the answer and nowhere else.

    Raises:
        DomainError: invalid (name, scopes, expires_at) or the organisation is unknown.
    """
    if await store.load_organization(tx, for_update=True) is None:
        raise not_found("organization")
    faults: dict[str, str] = {}
    if not 0 < len(name.strip()) <= KEY_NAME_LENGTH_MAX:
        faults["name"] = f"must have 1 to {KEY_NAME_LENGTH_MAX} characters"
    if not scopes:
        faults["scopes"] = "must name at least one scope"
    if expires_at is not None and expires_at <= tx.real_now:
        faults["expires_at"] = "must lie in the future"
    if len(await store.list_keys(tx)) >= KEYS_MAX:
        faults["name"] = f"an organisation has at most {KEYS_MAX} keys"
    if faults:
        raise invalid(faults)
    secret = KEY_PREFIXES[is_test_mode] + secrets.token_hex(32)
    key = ApiKey(
        id=ApiKeyId(new_id()),
        org_id=tx.org_id,
        name=name.strip(),
        key_prefix=secret[:KEY_PREFIX_SHOWN],
        scopes=tuple(dict.fromkeys(scopes)),
        is_test_mode=is_test_mode,
        expires_at=expires_at,
        revoked_at=None,
        disabled_at=None,
        last_used_at=None,
        created_at=tx.real_now,
        updated_at=tx.real_now,
    )
    # In the key's own mode, where all that happens to it is reported.
    async with store.bound_to(tx, Tenant(tx.org_id, is_test_mode)) as own:
        await store.insert_key(own, key, secret_hash(secret))
        fact = ApiKeyIssued(api_key_id=key.id, name=key.name, scopes=key.scopes)
        await outbox.emit(own, [fact])
    issued = IssuedKey(key, secret)
    tx.changed(None, issued)
    return issued


async def list_keys(database: Database, org_id: OrganizationId) -> list[ApiKey]:
    """All keys of an organisation, newest first."""
    async with database.transaction(Tenant(org_id, is_test=False)) as tx:
        if await store.load_organization(tx) is None:
            raise not_found("organization")
        return await store.list_keys(tx)


async def keys_of(tx: Transaction) -> list[ApiKey]:
    """All keys of the transaction's organisation, of both modes, newest first."""
    return await store.list_keys(tx)


async def revoke_key(database: Database, *, org_id: OrganizationId, api_key_id: ApiKeyId) -> ApiKey:
    """End a key at once, in a transaction of its own; as `end_key`."""
    async with database.transaction(Tenant(org_id, is_test=False)) as tx:
        return await end_key(tx, api_key_id)


async def end_key(tx: Transaction, api_key_id: ApiKeyId) -> ApiKey:
    """End a key at once: every later transaction under it is refused.

    Raises:
        DomainError: not_found.
    """
    known = await _key(tx, api_key_id)
    async with store.bound_to(tx, Tenant(tx.org_id, known.is_test_mode)) as own:
        key = await store.revoke_key(own, api_key_id)
        if key is None:
            raise InvariantError("keys are never deleted")
        if key.revoked_at == tx.real_now:
            await outbox.emit(own, [ApiKeyRevoked(api_key_id=api_key_id)])
    tx.changed(known, key)
    return key


async def toggle_key(tx: Transaction, api_key_id: ApiKeyId) -> ApiKey:
    """Switch a key off that is on, or on that is off; from the next transaction under it on.

    Raises:
        DomainError: not_found; conflict, where it is revoked, which is for good.
    """
    known = await _key(tx, api_key_id)
    if known.revoked_at is not None:
        raise conflict("api_key_revoked", "the API key is revoked")
    async with store.bound_to(tx, Tenant(tx.org_id, known.is_test_mode)) as own:
        disabled_at = tx.real_now if known.disabled_at is None else None
        key = await store.set_key_disabled(own, api_key_id, disabled_at)
        if key is None:
            raise InvariantError("keys are never deleted")
        is_on = key.disabled_at is None
        await outbox.emit(own, [ApiKeySwitched(api_key_id=api_key_id, is_on=is_on)])
    tx.changed(known, key)
    return key


async def _key(tx: Transaction, api_key_id: ApiKeyId) -> ApiKey:
    """A key, while nobody else changes one of the organisation's."""
    await store.load_organization(tx, for_update=True)
    known = (await store.load_keys(tx, [api_key_id])).get(api_key_id)
    if known is None:
        raise not_found("api_key")
    return known


async def authorize(tx: Transaction, api_key_id: ApiKeyId, needed: Permission) -> Principal:
    """Who a key is, checked in the transaction that acts under it: a revoked one ends at once.

    Raises:
        DomainError: unauthenticated (revoked, expired) or forbidden (scope missing, organisation
            suspended).
    """
    key = (await store.load_keys(tx, {api_key_id})).get(api_key_id)
    refusal = refusal_of(key, tx.tenant, tx.real_now, needed)
    if key is None or refusal is not None:
        raise refusal or unauthenticated()
    return principal_of(key)


def principal_of(key: ApiKey) -> Principal:
    """Who a key is that may act."""
    allowed = permissions_of(key.scopes)
    return api_key(
        key.id,
        org_id=key.org_id,
        is_test=key.is_test_mode,
        permissions=only_reading(allowed) if key.is_suspended else allowed,
        name=key.name,
    )


async def get_keys(tx: Transaction, api_key_ids: AbstractSet[ApiKeyId]) -> dict[ApiKeyId, ApiKey]:
    """These keys of the organisation as they stand; unknown ones are absent."""
    return await store.load_keys(tx, api_key_ids)


def refusal_of(
    key: ApiKey | None, tenant: Tenant, real_now: datetime, needed: Permission
) -> DomainError | None:
    """Why a key may not do for the tenant what needs this permission now; None where it may."""
    if key is None or not key.is_active(real_now) or key.is_test_mode != tenant.is_test:
        return unauthenticated()
    if needed not in permissions_of(key.scopes):
        missing = " or ".join(scope.value for scope in scopes_of(needed))
        if not missing:
            return people_only()
        return DomainError(
            ErrorKind.FORBIDDEN, "scope_missing", f"this API key lacks the scope {missing}"
        )
    return organization_suspended() if key.is_suspended and not needed.is_reading else None


def people_only() -> DomainError:
    """The refusal of what a person must decide, however much a key may do."""
    return DomainError(ErrorKind.FORBIDDEN, "people_only", "no API key may do this")


def organization_suspended() -> DomainError:
    """The refusal of whatever would change something of a suspended organisation."""
    return DomainError(
        ErrorKind.FORBIDDEN,
        "organization_suspended",
        "the organization is suspended: it may read, and change nothing",
    )


def unauthenticated() -> DomainError:
    """The one answer to a missing, unknown, revoked or expired credential."""
    return DomainError(
        ErrorKind.UNAUTHENTICATED, "invalid_credential", "missing or invalid API key"
    )
