"""Who a person is in a transaction: their session, membership and role, read in it."""

from datetime import datetime

from monigo import tenancy
from monigo.core.access import (
    OF_PERSONS,
    SENSITIVE,
    Permission,
    Principal,
    Role,
    only_reading,
    permissions_of_role,
    permissions_within_limit,
    person,
)
from monigo.core.errors import DomainError, ErrorKind, not_found
from monigo.core.money import Money
from monigo.infra.db import INSTALLATION, Transaction
from monigo.people.sessions import FRESH_LIFE, Claims, reauthentication_required, session_membership
from monigo.tenancy import Organization


async def authorize(tx: Transaction, claims: Claims, needed: Permission) -> Principal:
    """Who a signed-in person is in the transaction, which may do what is needed.

    Nothing of it is in the token, so that a removed member, a changed role and an ended session
    count from the next transaction on. So does an organisation that requires a second factor. For a
    new key they wait until the transaction ends, for it would outlive them unseen.

    Raises:
        DomainError: unauthenticated; not_found, where the person is no member; forbidden, where
            a second factor is required and lacking, the role does not allow it, the organisation
            is suspended, or the person signed in too long ago for it.
    """
    here = await session_membership(
        tx,
        user_id=claims.user_id,
        session_id=claims.session_id,
        is_locked=needed is Permission.API_KEYS_WRITE,
    )
    if here is None:
        raise unauthenticated()
    if tx.tenant == INSTALLATION and needed in OF_PERSONS:
        if needed in SENSITIVE:
            require_fresh(here["authenticated_at"], tx.real_now)
        return person(
            claims.user_id, org_id=None, is_test=None, permissions=OF_PERSONS, name=here["name"]
        )
    if here["role"] is None:
        raise not_found("organization")
    if here["lacks_second_factor"]:
        raise DomainError(
            ErrorKind.FORBIDDEN,
            "second_factor_required",
            "the organization requires a second factor, please set one up",
        )
    role = Role(here["role"])
    allowed = permissions_of_role(role)
    credit_limit = None
    if needed in permissions_within_limit(role):
        credit_limit = credit_limit_of(await tenancy.get_organization(tx))
        allowed |= {needed} if credit_limit is not None else set()
    if needed not in allowed:
        raise DomainError(ErrorKind.FORBIDDEN, "role_lacks_right", f"as {role.value} you may not")
    if here["is_suspended"]:
        if not needed.is_reading:
            raise tenancy.organization_suspended()
        allowed = only_reading(allowed)
    if needed in SENSITIVE:
        require_fresh(here["authenticated_at"], tx.real_now)
    return person(
        claims.user_id,
        org_id=tx.org_id,
        is_test=tx.is_test,
        permissions=allowed,
        name=here["name"],
        credit_limit=credit_limit,
    )


def credit_limit_of(organization: Organization) -> Money | None:
    """How much a member may credit to wallets in a day; None where members may not."""
    amount = organization.limits.member_credit_limit
    return Money(amount, organization.billing.default_currency) if amount else None


async def require_session(tx: Transaction, claims: Claims) -> None:
    """Refuse who is not signed in any more.

    Raises:
        DomainError: unauthenticated.
    """
    if await session_membership(tx, user_id=claims.user_id, session_id=claims.session_id) is None:
        raise unauthenticated()


def require_fresh(authenticated_at: datetime, now: datetime) -> None:
    """Refuse who signed in too long ago for what can do much harm.

    Raises:
        DomainError: forbidden.
    """
    if now - authenticated_at > FRESH_LIFE:
        raise reauthentication_required("please sign in again for this")


def unauthenticated() -> DomainError:
    """The one answer to an access token that is wrong, has run out, or is of an ended session."""
    return DomainError(ErrorKind.UNAUTHENTICATED, "invalid_token", "please sign in")
