"""Which scopes of an API key hold which permissions: one table, in which each has one row."""

from collections import Counter
from itertools import pairwise

import pytest

from monigo.core.access import (
    GRANTS,
    OF_PERSONS,
    OF_PORTALS,
    Permission,
    Role,
    Scope,
    permissions_of,
    permissions_of_role,
    scopes_of,
)


def test_every_permission_stands_in_one_row():
    rows = Counter(permission for grant in GRANTS for permission in grant.permissions)

    assert rows == dict.fromkeys(set(Permission) - OF_PERSONS - OF_PORTALS, 1)


@pytest.mark.parametrize("permission", Permission)
def test_a_permission_names_its_object_and_what_is_done_to_it(permission):
    kind, _, action = permission.value.partition(":")

    assert kind.replace("_", "").isalpha()
    assert action.replace("_", "").isalpha()


@pytest.mark.parametrize("permission", Permission)
def test_each_of_its_scopes_holds_a_permission_and_no_other_does(permission):
    holding = {scope for scope in Scope if permission in permissions_of({scope})}

    assert holding == set(scopes_of(permission))


def test_no_key_decides_who_may_act():
    assert {one for one in Permission if not scopes_of(one)} == {
        *OF_PERSONS,
        *OF_PORTALS,
        Permission.API_KEYS_READ,
        Permission.API_KEYS_WRITE,
        Permission.MEMBERS_READ,
        Permission.MEMBERS_WRITE,
        Permission.MEMBERSHIP_LEAVE,
        Permission.INVITATIONS_READ,
        Permission.INVITATIONS_WRITE,
        Permission.PAYOUTS_AUTOMATE,
    }


@pytest.mark.parametrize(
    ("permission", "roles"),
    [
        (Permission.CUSTOMERS_READ, "owner admin member viewer"),
        (Permission.REPLAYS_READ, "owner admin member viewer"),
        (Permission.ORGANIZATION_READ, "owner admin member viewer"),
        (Permission.MEMBERS_READ, "owner admin member viewer"),
        (Permission.MEMBERSHIP_LEAVE, "owner admin member viewer"),
        (Permission.CUSTOMERS_WRITE, "owner admin member"),
        (Permission.INVOICES_FINALIZE, "owner admin member"),
        (Permission.EVENTS_INGEST, "owner admin member"),
        (Permission.INVOICES_VOID, "owner admin"),
        (Permission.INVOICES_MARK_PAID, "owner admin"),
        (Permission.WALLETS_CREDIT, "owner admin"),
        (Permission.WALLETS_GRANT, "owner admin"),
        (Permission.ORGANIZATION_WRITE, "owner admin"),
        (Permission.API_KEYS_WRITE, "owner admin"),
        (Permission.MEMBERS_WRITE, "owner admin"),
        (Permission.INVITATIONS_READ, "owner admin"),
        (Permission.PAYOUTS_WRITE, "owner admin"),
        (Permission.PAYOUTS_AUTOMATE, "owner"),
    ],
)
def test_the_roles_of_a_permission(permission, roles):
    assert [role for role in Role if permission in permissions_of_role(role)] == roles.split()


def test_a_role_holds_all_that_a_lesser_one_holds():
    held = [permissions_of_role(role) for role in reversed(Role)]

    assert all(less <= more for less, more in pairwise(held))


def test_a_viewer_changes_nothing_of_the_organisation():
    assert {one.value.partition(":")[2] for one in permissions_of_role(Role.VIEWER)} == {
        "read",
        "leave",
    }


def test_several_scopes_hold_what_each_of_them_holds():
    both = permissions_of([Scope.READ, Scope.INGEST])

    assert both == permissions_of([Scope.READ]) | permissions_of([Scope.INGEST])
    assert permissions_of([]) == frozenset()
    assert permissions_of(Scope) == {one for one in Permission if scopes_of(one)}


@pytest.mark.parametrize(
    ("permission", "scopes"),
    [
        (Permission.CUSTOMERS_READ, (Scope.READ,)),
        (Permission.CUSTOMERS_WRITE, (Scope.WRITE,)),
        (Permission.INVOICES_VOID, (Scope.WRITE,)),
        (Permission.INVOICES_MARK_PAID, (Scope.ADMIN,)),
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
