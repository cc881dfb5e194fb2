"""What can be learnt of people: in SQL, and by a person of one organisation of those of another."""

import asyncio
import json
import re
from uuid import UUID

import asyncpg
import pytest

from monigo import tenancy
from monigo.infra.db import INSTALLATION, Tenant
from support.api import Api
from support.authenticator import SITE, Authenticator, add_passkey
from support.operations import OF_PEOPLE, body_schema, id_fields, ids_in_queries, parameters
from support.people import Person, new_email

TABLES = """
    SELECT relname AS name, relrowsecurity AS is_secured,
        array(SELECT polname::text FROM pg_policy WHERE polrelid = pg_class.oid) AS policies
    FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
"""
PEOPLES = [
    "authenticator_apps",
    "email_codes",
    "invitations",
    "memberships",
    "passkey_challenges",
    "passkeys",
    "platform_admins",
    "recovery_codes",
    "registrations",
    "sessions",
    "sign_in_attempts",
    "sign_in_challenges",
    "signing_keys",
    "users",
]


@pytest.fixture
def org(ada):
    return ada.found()["organization"]["id"]


async def as_application(url, *statements):
    """What the application's role reads in one transaction; the last statement's rows."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetch(statements[-1])
    finally:
        await connection.close()


def test_these_are_the_tables_of_people(backend):
    found = {row["name"]: row for row in backend.sql(TABLES)}

    assert (
        sorted(name for name, row in found.items() if row["policies"] == ["people_only"]) == PEOPLES
    )
    assert all(found[name]["is_secured"] for name in PEOPLES)


@pytest.mark.parametrize("table", PEOPLES)
@pytest.mark.parametrize(
    "binding",
    ["", "SET LOCAL app.org_id = '{org}'; SET LOCAL app.is_test = 'false'"],
    ids=["nobody", "tenant"],
)
def test_no_transaction_sees_people_that_does_not_say_so(backend, ada, org, table, binding):
    ada.invite(org, new_email())
    statements = [binding.format(org=org), f"SELECT 1 FROM {table}"]

    seen = asyncio.run(as_application(backend.app_url, *filter(None, statements)))

    assert seen == []


@pytest.mark.parametrize("table", ["users", "sessions", "memberships", "invitations"])
def test_what_people_have_is_there_for_who_says_so(backend, ada, org, table):
    """Or the test above would prove nothing."""
    ada.invite(org, new_email())

    seen = asyncio.run(
        as_application(
            backend.app_url, "SET LOCAL app.people = 'on'", f"SELECT 1 AS one FROM {table}"
        )
    )

    assert seen != []


def session_membership(backend, tenant, person, organization, function="session_membership"):
    session = person.get("/sessions").json()["sessions"][0]["id"]
    return backend.sql(
        f"SELECT role FROM {function}($1, false, $2, $3, $4)",
        organization,
        session,
        person.user_id,
        backend.clock.now(),
        as_app=tenant,
    )


def test_a_tenant_learns_what_a_person_is_in_it(backend, ada, bola, org):
    tenant = Tenant(org, is_test=False)

    roles = [
        [row["role"] for row in session_membership(backend, tenant, person, org)]
        for person in (ada, bola)
    ]

    assert roles == [["owner"], [None]]


@pytest.mark.parametrize("function", ["session_membership", "locked_session_membership"])
def test_a_tenant_learns_nothing_of_a_person_in_another(backend, ada, bola, org, function):
    other = bola.found()["organization"]["id"]

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        session_membership(backend, Tenant(other, is_test=False), ada, org, function)


def test_the_installation_is_no_organisation(backend):
    (row,) = backend.sql(
        "SELECT count(*) AS rows FROM organizations WHERE org_id = $1", INSTALLATION.org_id
    )

    assert row["rows"] == 0


@pytest.mark.usefixtures("ada")
def test_verify_finds_no_organisation_that_is_none(backend):
    found = backend.run(tenancy.organizations_to_verify(backend.services.database))

    assert INSTALLATION.org_id not in found


# Each operation of people that takes an id. Another's organisation is unknown, whatever stands
# in it, …
FOREIGN = [
    ("GET", "/organizations/{org_id}", None),
    ("PUT", "/organizations/{org_id}", {"name": "Mine"}),
    ("GET", "/organizations/{org_id}/members", None),
    ("PATCH", "/organizations/{org_id}/members/{user_id}", {"role": "viewer"}),
    ("DELETE", "/organizations/{org_id}/members/{user_id}", None),
    ("DELETE", "/organizations/{org_id}/leave", None),
    ("POST", "/organizations/{org_id}/invite", {"email": "a@example.com", "role": "viewer"}),
    ("GET", "/organizations/{org_id}/invitations", None),
    ("DELETE", "/organizations/{org_id}/invitations/{invitation_id}", None),
    ("GET", "/api-keys?org_id={org_id}", None),
    ("POST", "/api-keys?org_id={org_id}", {"name": "k", "scopes": ["read"]}),
    ("POST", "/api-keys", {"org_id": "{org_id}", "name": "k", "scopes": ["read"]}),
    ("DELETE", "/api-keys/{api_key_id}?org_id={org_id}", None),
    ("PATCH", "/api-keys/{api_key_id}/toggle?org_id={org_id}", None),
    ("GET", "/customers?org_id={org_id}", None),
    ("POST", "/customers", {"org_id": "{org_id}", "external_id": "x"}),
    ("GET", "/customers/{customer_id}?org_id={org_id}", None),
]
# … and what belongs to it is in none of one's own, named or not.
BY_ID = [
    ("GET", "/invitations/{invitation_id}", None),
    ("POST", "/invitations/accept", {"token": "{invitation_id}"}),
    ("POST", "/invitations/reject", {"token": "{invitation_id}"}),
    ("DELETE", "/api-keys/{api_key_id}", None),
    ("DELETE", "/api-keys/{api_key_id}?org_id={own}", None),
    ("PATCH", "/api-keys/{api_key_id}/toggle", None),
    ("PATCH", "/api-keys/{api_key_id}/toggle?org_id={own}", None),
    ("PATCH", "/organizations/{own}/members/{user_id}", {"role": "viewer"}),
    ("DELETE", "/organizations/{own}/members/{user_id}", None),
    ("DELETE", "/organizations/{own}/invitations/{invitation_id}", None),
    ("GET", "/customers/{customer_id}", None),
    ("PUT", "/customers/{customer_id}", {"name": "Mine"}),
    ("DELETE", "/sessions/{session_id}", None),
    ("PATCH", "/user/passkeys/{passkey_id}", {"name": "mine"}),
    ("DELETE", "/user/passkeys/{passkey_id}", None),
]
# Made by authenticators; test_passkeys tries those of others.
OF_AUTHENTICATORS = {"credential.id", "passkey.id"}
# Tells of the person and holds no id.
WITHOUT_IDS = {"/user/second-factor"}
LISTS = [
    path.removeprefix("/api/v1")
    for method, path in OF_PEOPLE
    if method == "GET" and "{" not in path
]


def test_every_id_that_people_may_send_is_tried():
    taken = {
        (method, path, name)
        for (method, path), operation in OF_PEOPLE.items()
        for name in (
            *parameters(path),
            *ids_in_queries(operation),
            *id_fields(body_schema(operation)),
        )
    }
    tried = {
        (method, f"/api/v1{path.partition('?')[0]}", name)
        for method, path, body in FOREIGN + BY_ID
        for name in re.findall(r"{(\w+)}", path + json.dumps(body))
    }

    assert {one for one in taken - tried if one[2] not in OF_AUTHENTICATORS} == set()


@pytest.fixture(scope="module")
def world(backend):
    """Somebody's organisation with something of everything, and a stranger with one of her own."""
    with Person.signed_in(backend) as owner, Person.signed_in(backend) as stranger:
        made = owner.found()
        org = made["organization"]["id"]
        customer = owner.post("/customers", json={"org_id": org, "external_id": "c1"})
        ids = {
            "org_id": org,
            "user_id": owner.user_id,
            "invitation_id": owner.invite(org, new_email()).json()["invitation"]["id"],
            "api_key_id": made["api_keys"][0]["id"],
            "customer_id": customer.json()["customer"]["id"],
            "session_id": owner.get("/sessions").json()["sessions"][0]["id"],
        }
        ids["passkey_id"] = add_passkey(owner, Authenticator(SITE)).json()["passkey"]["id"]
        own = stranger.found()["organization"]["id"]
        ids["received_id"] = stranger.invite(own, owner.email).json()["invitation"]["id"]
        yield owner, stranger, ids, {**ids, "own": own}


def filled(body, known):
    if body is None:
        return None
    return {k: v.format(**known) if isinstance(v, str) else v for k, v in body.items()}


@pytest.mark.parametrize(("method", "path", "body"), FOREIGN + BY_ID)
def test_a_stranger_finds_nothing(world, method, path, body):
    _, stranger, ids, known = world
    content = filled(body, known)

    answer = stranger.http.request(method, path.format(**known), json=content)

    assert answer.status_code == 404, answer.text
    assert not [one for one in ids.values() if one in answer.text]


@pytest.mark.parametrize("path", LISTS)
def test_lists_of_people_show_one_s_own_and_nothing_of_others(world, path):
    owner, stranger, ids, _ = world

    theirs, own = (one.get(path) for one in (stranger, owner))

    assert (theirs.status_code, own.status_code) == (200, 200)
    assert [one for one in ids.values() if one in theirs.text] == []
    assert path in WITHOUT_IDS or [one for one in ids.values() if one in own.text] != []


@pytest.mark.parametrize(
    ("method", "path"), [(m, p) for m, p, _ in FOREIGN + BY_ID] + [("GET", "/user/profile")]
)
def test_who_is_not_signed_in_is_told_nothing(backend, world, method, path):
    _, _, _, known = world
    with Person(backend) as nobody:
        answer = nobody.http.request(method, path.format(**known), json={})

    assert answer.status_code == 401


def test_what_a_stranger_tried_changed_nothing(world):
    owner, _, ids, _ = world

    members = owner.get(f"/organizations/{ids['org_id']}/members").json()
    invitations = owner.get(f"/organizations/{ids['org_id']}/invitations").json()

    assert (members["count"], invitations["count"]) == (1, 1)
    assert owner.get(f"/organizations/{ids['org_id']}").json()["organization"]["name"] != "Mine"
    assert owner.get(f"/api-keys?org_id={ids['org_id']}").json()["count"] == 2


PEOPLE_ONLY = [
    ("GET", "/user/profile", None),
    ("GET", "/sessions", None),
    ("GET", "/organizations", None),
    ("POST", "/organizations", {"name": "Mine"}),
    ("GET", "/invitations/pending", None),
    ("GET", "/api-keys", None),
    ("POST", "/api-keys", {"name": "k", "scopes": ["read"]}),
    ("GET", "/organizations/{org_id}/members", None),
    ("POST", "/organizations/{org_id}/invite", {"email": "a@example.com", "role": "owner"}),
    ("DELETE", "/organizations/{org_id}/leave", None),
    ("POST", "/auth/reauthenticate", {"password": "any password"}),
]


@pytest.mark.parametrize(("method", "path", "body"), PEOPLE_ONLY)
def test_no_key_decides_who_may_act(backend, world, method, path, body):
    _, _, ids, _ = world
    with Api.of(backend, UUID(ids["org_id"]), is_test=False) as key:
        answer = key.http.request(method, f"/api/v1{path.format(**ids)}", json=body)

    assert (answer.status_code, answer.json()["code"]) == (403, "people_only")


def test_a_key_reads_its_own_organisation_and_no_other(backend, world):
    _, stranger, ids, _ = world
    other = stranger.get("/organizations").json()["organizations"][0]["id"]
    with Api.of(backend, UUID(ids["org_id"]), is_test=False) as key:
        answers = [key.get(f"/api/v1/organizations/{org}") for org in (ids["org_id"], other)]

    assert [answer.status_code for answer in answers] == [200, 403]
