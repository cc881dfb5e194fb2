"""Who calls: from the credential that a request carries to the principal that acts."""

from fastapi import Request
from msgspec import Struct

from monigo import people, portal_access, tenancy
from monigo.bootstrap import Services
from monigo.core.access import Permission
from monigo.infra.db import Tenant, Transaction
from monigo.people import Claims
from monigo.portal_access import TokenReference
from monigo.tenancy import KeyReference

# Where people call, beside keys.
_FACE_OF_PEOPLE = "/api/v1/"
# An access token has a head, claims and a signature; no API key has a dot.
_DOTS_OF_A_TOKEN = 2


class PersonReference(Struct, frozen=True):
    """Who is signed in and for which tenant they ask; their session and role decide the rest."""

    tenant: Tenant
    claims: Claims


Caller = KeyReference | PersonReference | TokenReference


def looks_like_token(credential: str) -> bool:
    """Whether a credential can only be a person's access token."""
    return credential.count(".") == _DOTS_OF_A_TOKEN


async def authenticate(services: Services, request: Request) -> KeyReference:
    """Where the bearer's key belongs.

    Raises:
        DomainError: unauthenticated.
    """
    secret = _bearer(request)
    reference = None if secret is None else await services.keys.find(secret)
    if reference is None:
        raise tenancy.unauthenticated()
    services.key_use.note(reference, services.clock.now())
    return reference


async def authenticate_anybody(services: Services, request: Request) -> KeyReference | Claims:
    """The tenant of the bearer's key; under /api/v1 the claims of a person's access token, too.

    Raises:
        DomainError: unauthenticated.
    """
    credential = _bearer(request) or ""
    is_for_people = request.scope["path"].startswith(_FACE_OF_PEOPLE)
    if not is_for_people or not looks_like_token(credential):
        return await authenticate(services, request)
    claims = await services.people.tokens.read(credential, services.clock.now())
    if claims is None:
        raise people.organizations.unauthenticated()
    return claims


async def authorized(
    services: Services, tx: Transaction, caller: Caller, permission: Permission
) -> Transaction:
    """The transaction, in which the caller acts from here on.

    Raises:
        DomainError: unauthenticated (revoked, expired, signed out), forbidden (permission
            missing) or not_found (no member).
    """
    match caller:
        case KeyReference():
            principal = await tenancy.authorize(tx, caller.api_key_id, permission)
        case PersonReference():
            principal = await people.organizations.authorize(tx, caller.claims, permission)
        case TokenReference():
            principal = await portal_access.authorize(tx, caller.token_id, permission)
    await services.limits.of(tx)
    return tx.acting_as(principal)


def _bearer(request: Request) -> str | None:
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    return credential.strip() if scheme.lower() == "bearer" else None
