"""Who calls: from the credential that a request carries to the principal that acts."""

from fastapi import Request

from monigo import tenancy
from monigo.bootstrap import Services
from monigo.core.permissions import Permission
from monigo.infra.db import Transaction
from monigo.tenancy import KeyReference


async def authenticate(services: Services, request: Request) -> KeyReference:
    """Where the bearer's key belongs.

    Raises:
        DomainError: unauthenticated.
    """
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    secret = secret.strip()
    reference = await services.keys.find(secret) if scheme.lower() == "bearer" else None
    if reference is None:
        raise tenancy.unauthenticated()
    return reference


async def authorized(
    services: Services, tx: Transaction, caller: KeyReference, permission: Permission
) -> Transaction:
    """The transaction, in which the caller acts from here on.

    Raises:
        DomainError: unauthenticated (revoked, expired) or forbidden (permission missing).
    """
    principal = await tenancy.authorize(tx, caller.api_key_id, permission)
    await services.limits.of(tx)
    return tx.acting_as(principal)
