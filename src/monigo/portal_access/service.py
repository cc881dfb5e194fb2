"""Use cases of portal tokens: to make them, to end them, and to act under them."""

import secrets
from datetime import timedelta
from uuid import UUID

from msgspec.structs import replace

from monigo import customers, tenancy
from monigo.core.access import Permission, Principal, portal
from monigo.core.errors import DomainError, ErrorKind, conflict, invalid, not_found
from monigo.core.ids import PortalTokenId
from monigo.core.paging import Page, PageRequest
from monigo.infra import outbox
from monigo.infra.crypto import Vault
from monigo.infra.db import Transaction
from monigo.infra.ids import new_id
from monigo.portal_access import rules, store
from monigo.portal_access.events import PortalTokenIssued, PortalTokenRevoked
from monigo.portal_access.types import IssuedToken, NewToken, PortalToken, TokenKind

_TOKENS = "portal token"
# How exactly it is known when a token was used last.
USE_NOTED_EACH = timedelta(minutes=1)
# How long the session of a visit is kept after its end, for who asks what happened.
SESSIONS_KEPT = timedelta(days=1)


async def issue(tx: Transaction, vault: Vault, customer: str, wanted: NewToken) -> IssuedToken:
    """Make a token by which a customer's portal is opened, until it ends or is revoked.

    Raises:
        DomainError: not_found, the customer; invalid (label, expires_at); conflict, with too many.
    """
    owner = await customers.get(tx, customer)
    faults = rules.faults_of(wanted, tx.real_now)
    if faults:
        raise invalid(faults)
    if wanted.kind is TokenKind.SESSION:
        await store.forget_sessions(tx, owner.id, tx.real_now - SESSIONS_KEPT)
    elif await store.count_links(tx, owner.id) >= rules.LINKS_MAX:
        said = f"a customer has at most {rules.LINKS_MAX} portal tokens"
        raise conflict("too_many_portal_tokens", said)
    secret = secrets.token_hex(rules.SECRET_BYTES)
    token_id = PortalTokenId(new_id())
    token = PortalToken(
        id=token_id,
        customer_id=owner.id,
        kind=wanted.kind,
        access=wanted.access,
        label=wanted.label,
        secret_ciphertext=vault.encrypt(_TOKENS, secret.encode(), context=token_id.bytes),
        expires_at=wanted.expires_at,
        revoked_at=None,
        last_used_at=None,
        created_at=tx.real_now,
        updated_at=tx.real_now,
    )
    await store.insert(tx, token, rules.secret_hash(secret))
    tx.changed(None, token)
    fact = PortalTokenIssued(
        portal_token_id=token.id,
        customer_id=token.customer_id,
        label=token.label,
        access=token.access.value,
    )
    await outbox.emit(tx, [fact])
    return IssuedToken(token, secret)


async def list_page(
    tx: Transaction, request: PageRequest, *, customer: str | None = None
) -> Page[PortalToken]:
    """Links that were not revoked, newest first; of one customer, by id or external_id.

    Raises:
        DomainError: not_found, the customer.
    """
    owner = None if customer is None else (await customers.get(tx, customer)).id
    return await store.list_page(tx, request, owner)


async def revoke(tx: Transaction, token_id: UUID) -> PortalToken:
    """End a token at once; one that was ended before stays so.

    Raises:
        DomainError: not_found.
    """
    token = await store.load(tx, token_id, for_update=True)
    if token is None:
        raise not_found("portal_token")
    if token.revoked_at is not None:
        return token
    await store.revoke(tx, token.id, tx.real_now)
    revoked = replace(token, revoked_at=tx.real_now, updated_at=tx.real_now)
    tx.changed(token, revoked)
    fact = PortalTokenRevoked(portal_token_id=token.id, customer_id=token.customer_id)
    await outbox.emit(tx, [fact])
    return revoked


def secret_of(vault: Vault, token: PortalToken) -> str:
    """The token itself, for who may send it to its customer again.

    Raises:
        UnreadableSecretError: the key that it was encrypted under is gone.
    """
    return vault.decrypt(_TOKENS, token.secret_ciphertext, context=token.id.bytes).decode()


async def get(tx: Transaction, token_id: UUID) -> PortalToken:
    """A token, whatever became of it. Raises not_found."""
    token = await store.load(tx, token_id)
    if token is None:
        raise not_found("portal_token")
    return token


async def authorize(tx: Transaction, token_id: PortalTokenId, needed: Permission) -> Principal:
    """Who holds a token, checked in the transaction that acts under it: a revoked one ends at once.

    Raises:
        DomainError: unauthenticated (revoked, expired, its customer deleted); forbidden (a token
            that only reads, an organisation that is suspended).
    """
    token = await store.load(tx, token_id)
    if token is None or not token.is_active(tx.real_now):
        raise unauthenticated()
    try:
        customer = await customers.get(tx, token.customer_id)
    except DomainError as error:
        raise unauthenticated() from error
    is_suspended = (await tenancy.get_organization(tx)).suspended_at is not None
    allowed = rules.permissions_of(token.access, is_suspended=is_suspended)
    if needed not in allowed:
        raise tenancy.organization_suspended() if is_suspended else _forbidden()
    await store.note_use(tx, token.id, tx.real_now, unless_within=USE_NOTED_EACH)
    return portal(
        token.id,
        org_id=tx.org_id,
        is_test=tx.is_test,
        permissions=allowed,
        name=customer.details.name,
        customer_id=token.customer_id,
    )


def unauthenticated() -> DomainError:
    """The refusal of what is no token, or one that counts no more."""
    return DomainError(
        ErrorKind.UNAUTHENTICATED, "invalid_portal_token", "this portal link is not valid any more"
    )


def _forbidden() -> DomainError:
    return DomainError(
        ErrorKind.FORBIDDEN, "portal_read_only", "this portal link may only be looked at"
    )
