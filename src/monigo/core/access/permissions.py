"""What callers may do: permissions, and the one table of which scopes and roles hold them.

A permission is named by its object and what is done to it. Each route states the one that it
needs, never a kind of caller; what kinds of callers hold is decided here and nowhere else.
"""

from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache

from msgspec import Struct


class Permission(StrEnum):
    """One thing that a caller may do in its organisation and mode."""

    CUSTOMERS_READ = "customers:read"
    CUSTOMERS_WRITE = "customers:write"
    METRICS_READ = "metrics:read"
    METRICS_WRITE = "metrics:write"
    PLANS_READ = "plans:read"
    PLANS_WRITE = "plans:write"
    PLANS_SIMULATE = "plans:simulate"
    PRICE_OVERRIDES_READ = "price_overrides:read"
    PRICE_OVERRIDES_WRITE = "price_overrides:write"
    ALERTS_READ = "alerts:read"
    ALERTS_WRITE = "alerts:write"
    SUBSCRIPTIONS_READ = "subscriptions:read"
    SUBSCRIPTIONS_WRITE = "subscriptions:write"
    EVENTS_READ = "events:read"
    EVENTS_INGEST = "events:ingest"
    REPLAYS_READ = "replays:read"
    REPLAYS_START = "replays:start"
    REPLAYS_CANCEL = "replays:cancel"
    USAGE_READ = "usage:read"
    INVOICES_READ = "invoices:read"
    INVOICES_GENERATE = "invoices:generate"
    INVOICES_FINALIZE = "invoices:finalize"
    INVOICES_VOID = "invoices:void"
    INVOICES_MARK_PAID = "invoices:mark_paid"
    INVOICES_COLLECT = "invoices:collect"
    INVOICES_REFUND = "invoices:refund"
    BILLS_READ = "bills:read"
    BILLS_GENERATE = "bills:generate"
    BILLS_FINALIZE = "bills:finalize"
    BILLS_VOID = "bills:void"
    PAYOUTS_WRITE = "payouts:write"
    PAYOUTS_AUTOMATE = "payouts:automate"
    REPORTS_READ = "reports:read"
    WALLETS_READ = "wallets:read"
    WALLETS_WRITE = "wallets:write"
    WALLETS_CREDIT = "wallets:credit"
    WALLETS_DEBIT = "wallets:debit"
    WALLETS_GRANT = "wallets:grant"
    WALLETS_RESERVE = "wallets:reserve"
    PAYOUT_ACCOUNTS_READ = "payout_accounts:read"
    PAYOUT_ACCOUNTS_WRITE = "payout_accounts:write"
    PAYMENT_CONNECTIONS_READ = "payment_connections:read"
    PAYMENT_CONNECTIONS_WRITE = "payment_connections:write"
    TRANSACTIONS_RESOLVE = "transactions:resolve"
    BILLING_EVENTS_READ = "billing_events:read"
    WEBHOOK_ENDPOINTS_READ = "webhook_endpoints:read"
    WEBHOOK_ENDPOINTS_WRITE = "webhook_endpoints:write"
    ORGANIZATION_READ = "organization:read"
    ORGANIZATION_WRITE = "organization:write"
    PROVIDER_EVENTS_READ = "provider_events:read"
    PROVIDER_EVENTS_WRITE = "provider_events:write"
    WHATSAPP_READ = "whatsapp:read"
    WHATSAPP_WRITE = "whatsapp:write"
    WHATSAPP_CONNECT = "whatsapp:connect"
    DASHBOARD_READ = "dashboard:read"
    ONBOARDING_READ = "onboarding:read"
    ONBOARDING_WRITE = "onboarding:write"
    SET_ASIDE_READ = "set_aside:read"
    AUDIT_READ = "audit:read"
    TEST_CLOCK_READ = "test_clock:read"
    TEST_CLOCK_ADVANCE = "test_clock:advance"
    TEST_DATA_RESET = "test_data:reset"
    API_KEYS_READ = "api_keys:read"
    API_KEYS_WRITE = "api_keys:write"
    MEMBERS_READ = "members:read"
    MEMBERS_WRITE = "members:write"
    MEMBERSHIP_LEAVE = "membership:leave"
    INVITATIONS_READ = "invitations:read"
    INVITATIONS_WRITE = "invitations:write"
    PORTAL_TOKENS_READ = "portal_tokens:read"
    PORTAL_TOKENS_WRITE = "portal_tokens:write"
    PORTAL_READ = "portal:read"
    PORTAL_PAY = "portal:pay"
    PORTAL_METHODS_WRITE = "portal_methods:write"
    PORTAL_CANCEL = "portal:cancel"
    ACCOUNT_READ = "account:read"
    ACCOUNT_WRITE = "account:write"
    ACCOUNT_SECURE = "account:secure"

    @property
    def is_reading(self) -> bool:
        """Whether nothing is changed by what needs it."""
        return self in _READING


_READING = frozenset(permission for permission in Permission if permission.endswith(":read"))


class Scope(StrEnum):
    """A right that an API key may carry."""

    INGEST = "ingest"
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


class Role(StrEnum):
    """What a person is in an organisation."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    # Sees everything, and changes nothing.
    VIEWER = "viewer"


EVERYBODY = frozenset(Role)
STAFF = frozenset({Role.OWNER, Role.ADMIN, Role.MEMBER})
MANAGERS = frozenset({Role.OWNER, Role.ADMIN})


class Grant(Struct, frozen=True):
    """Permissions that the same callers hold.

    A key with any one of the scopes holds them all, and so does a person in any one of the roles.
    """

    scopes: frozenset[Scope]
    roles: frozenset[Role]
    permissions: frozenset[Permission]


# What a person may do with the own account, a member of whatever or of nothing.
OF_PERSONS = frozenset(
    {Permission.ACCOUNT_READ, Permission.ACCOUNT_WRITE, Permission.ACCOUNT_SECURE}
)
# What a customer may do in the portal, with the own things only; nobody else holds these.
OF_PORTALS = frozenset(
    {
        Permission.PORTAL_READ,
        Permission.PORTAL_PAY,
        Permission.PORTAL_METHODS_WRITE,
        Permission.PORTAL_CANCEL,
    }
)
# What can do much harm: a person is asked to have signed in just now.
SENSITIVE = frozenset(
    {
        Permission.API_KEYS_WRITE,
        Permission.MEMBERS_WRITE,
        Permission.INVITATIONS_WRITE,
        Permission.ACCOUNT_SECURE,
        Permission.PAYMENT_CONNECTIONS_WRITE,
        Permission.WHATSAPP_CONNECT,
    }
)

# Each permission but a person's own and a portal's stands in one row.
GRANTS = (
    # Reading what the organisation has.
    Grant(
        frozenset({Scope.READ}),
        EVERYBODY,
        frozenset(
            {
                Permission.CUSTOMERS_READ,
                Permission.PAYOUT_ACCOUNTS_READ,
                Permission.METRICS_READ,
                Permission.PLANS_READ,
                Permission.PRICE_OVERRIDES_READ,
                Permission.ALERTS_READ,
                Permission.SUBSCRIPTIONS_READ,
                Permission.EVENTS_READ,
                Permission.USAGE_READ,
                Permission.INVOICES_READ,
                Permission.BILLS_READ,
                Permission.REPORTS_READ,
                Permission.DASHBOARD_READ,
                Permission.ONBOARDING_READ,
                Permission.WALLETS_READ,
                Permission.BILLING_EVENTS_READ,
                Permission.SET_ASIDE_READ,
                Permission.TEST_CLOCK_READ,
                Permission.WHATSAPP_READ,
                Permission.PORTAL_TOKENS_READ,
            }
        ),
    ),
    # Preparing what is billed, and billing it.
    Grant(
        frozenset({Scope.WRITE}),
        STAFF,
        frozenset(
            {
                Permission.CUSTOMERS_WRITE,
                Permission.PAYOUT_ACCOUNTS_WRITE,
                Permission.METRICS_WRITE,
                Permission.PLANS_WRITE,
                Permission.PLANS_SIMULATE,
                Permission.PRICE_OVERRIDES_WRITE,
                Permission.ALERTS_WRITE,
                Permission.SUBSCRIPTIONS_WRITE,
                Permission.INVOICES_GENERATE,
                Permission.INVOICES_FINALIZE,
                Permission.INVOICES_COLLECT,
                Permission.BILLS_GENERATE,
                Permission.BILLS_FINALIZE,
                Permission.ONBOARDING_WRITE,
                Permission.TEST_CLOCK_ADVANCE,
                Permission.PORTAL_TOKENS_WRITE,
            }
        ),
    ),
    # Undoing what was billed.
    Grant(
        frozenset({Scope.WRITE}),
        MANAGERS,
        frozenset({Permission.INVOICES_VOID, Permission.BILLS_VOID}),
    ),
    # Saying that money came in which nobody else saw, and returning it.
    Grant(
        frozenset({Scope.ADMIN}),
        MANAGERS,
        frozenset(
            {
                Permission.INVOICES_MARK_PAID,
                Permission.INVOICES_REFUND,
                Permission.TRANSACTIONS_RESOLVE,
            }
        ),
    ),
    # Sending money to payees, and stopping it.
    Grant(frozenset({Scope.ADMIN}), MANAGERS, frozenset({Permission.PAYOUTS_WRITE})),
    # Having money sent in live mode that nobody looked at.
    Grant(frozenset(), frozenset({Role.OWNER}), frozenset({Permission.PAYOUTS_AUTOMATE})),
    # Moving money of wallets.
    Grant(
        frozenset({Scope.WRITE}),
        MANAGERS,
        frozenset(
            {
                Permission.WALLETS_WRITE,
                Permission.WALLETS_CREDIT,
                Permission.WALLETS_DEBIT,
                Permission.WALLETS_GRANT,
                Permission.WALLETS_RESERVE,
            }
        ),
    ),
    # Ingesting and replaying events.
    Grant(
        frozenset({Scope.INGEST}),
        STAFF,
        frozenset({Permission.EVENTS_INGEST, Permission.REPLAYS_START, Permission.REPLAYS_CANCEL}),
    ),
    Grant(frozenset({Scope.INGEST, Scope.READ}), EVERYBODY, frozenset({Permission.REPLAYS_READ})),
    # Deciding on the organisation itself.
    Grant(
        frozenset({Scope.ADMIN}),
        MANAGERS,
        frozenset(
            {
                Permission.ORGANIZATION_WRITE,
                Permission.TEST_DATA_RESET,
                Permission.AUDIT_READ,
                Permission.PAYMENT_CONNECTIONS_READ,
                Permission.PAYMENT_CONNECTIONS_WRITE,
                Permission.PROVIDER_EVENTS_READ,
                Permission.PROVIDER_EVENTS_WRITE,
                Permission.WEBHOOK_ENDPOINTS_READ,
                Permission.WEBHOOK_ENDPOINTS_WRITE,
                Permission.WHATSAPP_WRITE,
                Permission.WHATSAPP_CONNECT,
            }
        ),
    ),
    Grant(frozenset({Scope.ADMIN}), EVERYBODY, frozenset({Permission.ORGANIZATION_READ})),
    # Deciding who may act for the organisation, which no key does.
    Grant(
        frozenset(),
        MANAGERS,
        frozenset(
            {
                Permission.API_KEYS_READ,
                Permission.API_KEYS_WRITE,
                Permission.MEMBERS_WRITE,
                Permission.INVITATIONS_READ,
                Permission.INVITATIONS_WRITE,
            }
        ),
    ),
    Grant(
        frozenset(),
        EVERYBODY,
        frozenset({Permission.MEMBERS_READ, Permission.MEMBERSHIP_LEAVE}),
    ),
)

# What these roles may do, too, where the organisation has set a limit, and within it.
WITHIN_LIMIT = {Role.MEMBER: frozenset({Permission.WALLETS_CREDIT})}

_SCOPES = {permission: grant.scopes for grant in GRANTS for permission in grant.permissions}
_OF_ROLES = {
    role: frozenset[Permission]().union(
        *(grant.permissions for grant in GRANTS if role in grant.roles)
    )
    for role in Role
}


def scopes_of(permission: Permission) -> tuple[Scope, ...]:
    """The scopes of which a key needs one for a permission, in their usual order; none: no key."""
    return tuple(scope for scope in Scope if scope in _SCOPES.get(permission, ()))


def permissions_of(scopes: Iterable[Scope]) -> frozenset[Permission]:
    """What a key with these scopes may do."""
    return _permissions_of(frozenset(scopes))


@lru_cache(maxsize=1 << len(Scope))  # Each set of scopes, so that none is worked out twice.
def _permissions_of(scopes: frozenset[Scope]) -> frozenset[Permission]:
    held = [grant.permissions for grant in GRANTS if not scopes.isdisjoint(grant.scopes)]
    return frozenset[Permission]().union(*held)


def only_reading(permissions: frozenset[Permission]) -> frozenset[Permission]:
    """What is left of permissions in an organisation that is suspended."""
    return permissions & _READING


def permissions_of_role(role: Role) -> frozenset[Permission]:
    """What a person in this role may do in the organisation."""
    return _OF_ROLES[role]


def permissions_within_limit(role: Role) -> frozenset[Permission]:
    """What a person in this role may do, too, as far as a limit of the organisation's goes."""
    return WITHIN_LIMIT.get(role, frozenset())
