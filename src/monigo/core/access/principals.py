"""Who acts: the one notion of it for routes, background work and commands."""

from enum import StrEnum

from msgspec import Struct

from monigo.core.access.permissions import Permission
from monigo.core.ids import ApiKeyId, CustomerId, OrganizationId, PortalTokenId, UserId
from monigo.core.money import Money


class PrincipalKind(StrEnum):
    """What kind of caller acts."""

    API_KEY = "api_key"
    # Signed in; what they may do is their role's in the organisation.
    PERSON = "person"
    # The holder of a token of a customer's portal; acts for that customer.
    PORTAL = "portal"
    # Runs the platform, whosever the organisation is.
    PLATFORM_ADMIN = "platform_admin"
    # Background work; its id names the job.
    SYSTEM = "system"


class Principal(Struct, frozen=True):
    """Who acts in a transaction; recorded with what happens in it.

    `org_id` and `is_test` are those that the principal is bound to, and None where it is bound to
    none. `permissions` are what it may ask for by routes: nothing, for who doesn't come by them.
    `name` is what people know it by, as far as it was asked for.
    `credit_limit` is the most that it may credit to wallets in a day; None where none is set.
    `customer_id` is the one customer that it acts for, in the portal; None for all others.
    """

    kind: PrincipalKind
    id: str
    org_id: OrganizationId | None = None
    is_test: bool | None = None
    permissions: frozenset[Permission] = frozenset()
    name: str = ""
    credit_limit: Money | None = None
    customer_id: CustomerId | None = None

    def may(self, permission: Permission) -> bool:
        """Whether the principal holds a permission."""
        return permission in self.permissions

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.id}"


def api_key(
    api_key_id: ApiKeyId,
    *,
    org_id: OrganizationId,
    is_test: bool,
    permissions: frozenset[Permission],
    name: str = "",
) -> Principal:
    """A key of an organisation, which acts in one mode."""
    return Principal(PrincipalKind.API_KEY, str(api_key_id), org_id, is_test, permissions, name)


def person(
    user_id: UserId,
    *,
    org_id: OrganizationId | None,
    is_test: bool | None,
    permissions: frozenset[Permission],
    name: str = "",
    credit_limit: Money | None = None,
) -> Principal:
    """Somebody who is signed in; of no organisation where only the own account is touched."""
    return Principal(
        PrincipalKind.PERSON, str(user_id), org_id, is_test, permissions, name, credit_limit
    )


def portal(
    token_id: PortalTokenId,
    *,
    org_id: OrganizationId,
    is_test: bool,
    permissions: frozenset[Permission],
    name: str,
    customer_id: CustomerId,
) -> Principal:
    """The holder of a customer's portal token; `name` is the customer's."""
    return Principal(
        PrincipalKind.PORTAL,
        str(token_id),
        org_id,
        is_test,
        permissions,
        name,
        customer_id=customer_id,
    )


def system(job: str) -> Principal:
    """Background work of a name."""
    return Principal(PrincipalKind.SYSTEM, job)
