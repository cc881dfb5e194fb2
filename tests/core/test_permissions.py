"""Which scopes of an API key hold which permissions: one table, in which each has one row."""

from collections import Counter

import pytest

from monigo.core.permissions import GRANTS, Permission, Scope, permissions_of, scopes_of


def test_every_permission_stands_in_one_row():
    rows = Counter(permission for grant in GRANTS for permission in grant.permissions)

    assert rows == dict.fromkeys(Permission, 1)


@pytest.mark.parametrize("permission", Permission)
def test_a_permission_names_its_object_and_what_is_done_to_it(permission):
    kind, _, action = permission.value.partition(":")

    assert kind.replace("_", "").isalpha()
    assert action.replace("_", "").isalpha()


@pytest.mark.parametrize("permission", Permission)
def test_each_of_its_scopes_holds_a_permission_and_no_other_does(permission):
    holding = {scope for scope in Scope if permission in permissions_of({scope})}

    assert holding == set(scopes_of(permission)) != set()


def test_several_scopes_hold_what_each_of_them_holds():
    both = permissions_of([Scope.READ, Scope.INGEST])

    assert both == permissions_of([Scope.READ]) | permissions_of([Scope.INGEST])
    assert permissions_of([]) == frozenset()
    assert permissions_of(Scope) == frozenset(Permission)


@pytest.mark.parametrize(
    ("permission", "scopes"),
    [
        (Permission.CUSTOMERS_READ, (Scope.READ,)),
        (Permission.CUSTOMERS_WRITE, (Scope.WRITE,)),
        (Permission.INVOICES_VOID, (Scope.WRITE,)),
        (Permission.INVOICES_MARK_PAID, (Scope.WRITE,)),
        (Permission.WALLETS_CREDIT, (Scope.WRITE,)),
        (Permission.EVENTS_INGEST, (Scope.INGEST,)),
        (Permission.REPLAYS_START, (Scope.INGEST,)),
        (Permission.REPLAYS_READ, (Scope.INGEST, Scope.READ)),
        (Permission.ORGANIZATION_READ, (Scope.ADMIN,)),
        (Permission.TEST_DATA_RESET, (Scope.ADMIN,)),
    ],
)
def test_the_scopes_of_a_permission(permission, scopes):
    assert scopes_of(permission) == scopes
