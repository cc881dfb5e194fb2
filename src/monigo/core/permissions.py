"""What callers may do: permissions, and the one table that says which scopes of a key hold them.

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
    BILLS_READ = "bills:read"
    BILLS_GENERATE = "bills:generate"
    BILLS_FINALIZE = "bills:finalize"
    BILLS_VOID = "bills:void"
    REPORTS_READ = "reports:read"
    WALLETS_READ = "wallets:read"
    WALLETS_WRITE = "wallets:write"
    WALLETS_CREDIT = "wallets:credit"
    WALLETS_DEBIT = "wallets:debit"
    WALLETS_GRANT = "wallets:grant"
    WALLETS_RESERVE = "wallets:reserve"
    BILLING_EVENTS_READ = "billing_events:read"
    ORGANIZATION_READ = "organization:read"
    ORGANIZATION_WRITE = "organization:write"
    SET_ASIDE_READ = "set_aside:read"
    TEST_CLOCK_READ = "test_clock:read"
    TEST_CLOCK_ADVANCE = "test_clock:advance"
    TEST_DATA_RESET = "test_data:reset"


class Scope(StrEnum):
    """A right that an API key may carry."""

    INGEST = "ingest"
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


class Grant(Struct, frozen=True):
    """Permissions that the same callers hold: a key with any one of the scopes holds them all."""

    scopes: frozenset[Scope]
    permissions: frozenset[Permission]


# Each permission stands in one row. Rows of the same scopes are kept apart where people's roles
# don't hold all of them alike: whoever prepares invoices need not be allowed to void them.
GRANTS = (
    # Reading what the organisation has.
    Grant(
        frozenset({Scope.READ}),
        frozenset(
            {
                Permission.CUSTOMERS_READ,
                Permission.METRICS_READ,
                Permission.PLANS_READ,
                Permission.PRICE_OVERRIDES_READ,
                Permission.SUBSCRIPTIONS_READ,
                Permission.EVENTS_READ,
                Permission.USAGE_READ,
                Permission.INVOICES_READ,
                Permission.BILLS_READ,
                Permission.REPORTS_READ,
                Permission.WALLETS_READ,
                Permission.BILLING_EVENTS_READ,
                Permission.SET_ASIDE_READ,
                Permission.TEST_CLOCK_READ,
            }
        ),
    ),
    # Preparing what is billed, and billing it.
    Grant(
        frozenset({Scope.WRITE}),
        frozenset(
            {
                Permission.CUSTOMERS_WRITE,
                Permission.METRICS_WRITE,
                Permission.PLANS_WRITE,
                Permission.PLANS_SIMULATE,
                Permission.PRICE_OVERRIDES_WRITE,
                Permission.SUBSCRIPTIONS_WRITE,
                Permission.INVOICES_GENERATE,
                Permission.INVOICES_FINALIZE,
                Permission.BILLS_GENERATE,
                Permission.BILLS_FINALIZE,
                Permission.TEST_CLOCK_ADVANCE,
            }
        ),
    ),
    # Undoing or settling what was billed.
    Grant(
        frozenset({Scope.WRITE}),
        frozenset({Permission.INVOICES_VOID, Permission.INVOICES_MARK_PAID, Permission.BILLS_VOID}),
    ),
    # Moving money of wallets.
    Grant(
        frozenset({Scope.WRITE}),
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
    # Sending events, and counting them anew.
    Grant(
        frozenset({Scope.INGEST}),
        frozenset({Permission.EVENTS_INGEST, Permission.REPLAYS_START, Permission.REPLAYS_CANCEL}),
    ),
    Grant(frozenset({Scope.INGEST, Scope.READ}), frozenset({Permission.REPLAYS_READ})),
    # Deciding on the organisation itself.
    Grant(
        frozenset({Scope.ADMIN}),
        frozenset(
            {
                Permission.ORGANIZATION_READ,
                Permission.ORGANIZATION_WRITE,
                Permission.TEST_DATA_RESET,
            }
        ),
    ),
)

_SCOPES = {permission: grant.scopes for grant in GRANTS for permission in grant.permissions}


def scopes_of(permission: Permission) -> tuple[Scope, ...]:
    """The scopes of which a key needs one for a permission, in their usual order."""
    return tuple(scope for scope in Scope if scope in _SCOPES[permission])


def permissions_of(scopes: Iterable[Scope]) -> frozenset[Permission]:
    """What a key with these scopes may do."""
    return _permissions_of(frozenset(scopes))


@lru_cache(maxsize=1 << len(Scope))  # Each set of scopes, so that none is worked out twice.
def _permissions_of(scopes: frozenset[Scope]) -> frozenset[Permission]:
    held = [grant.permissions for grant in GRANTS if not scopes.isdisjoint(grant.scopes)]
    return frozenset[Permission]().union(*held)
