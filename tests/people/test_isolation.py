"""What can be learnt of people: in SQL, and by a person of one organisation of those of another."""

import asyncio
from uuid import UUID

import asyncpg
import pytest

from monigo import tenancy
from monigo.infra.db import INSTALLATION, Tenant
from support.api import Api
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


def person_here(backend, tenant, person, organization):
    session = person.get("/sessions").json()["sessions"][0]["id"]
    return backend.sql(
        "SELECT role FROM person_here($1, false, $2, $3, $4)",
        organization,
        session,
        person.user_id,
        backend.clock.now(),
        as_app=tenant,
    )


def test_a_tenant_learns_what_a_person_is_in_it(backend, ada, bola, org):
    tenant = Tenant(org, is_test=False)

    roles = [
        [row["role"] for row in person_here(backend, tenant, person, org)] for person in (ada, bola)
    ]

    assert roles == [["owner"], [None]]


def test_a_tenant_learns_nothing_of_a_person_in_another(backend, ada, bola, org):
    other = bola.found()["organization"]["id"]

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        person_here(backend, Tenant(other, is_test=False), ada, org)


def test_the_installation_is_no_organisation(backend):
    (row,) = backend.sql(
        "SELECT count(*) AS rows FROM organizations WHERE org_id = $1", INSTALLATION.org_id
    )

    assert row["rows"] == 0


@pytest.mark.usefixtures("ada")
def test_verify_finds_no_organisation_that_is_none(backend):
    found = backend.run(tenancy.organizations_to_verify(backend.services.database))

    assert INSTALLATION.org_id not in found


FOREIGN = [
    ("GET", "/organizations/{org}", None),
    ("PUT", "/organizations/{org}", {"name": "Mine"}),
    ("GET", "/organizations/{org}/members", None),
    ("PATCH", "/organizations/{org}/members/{user}", {"role": "viewer"}),
    ("DELETE", "/organizations/{org}/members/{user}", None),
    ("DELETE", "/organizations/{org}/leave", None),
    ("POST", "/organizations/{org}/invite", {"email": "a@example.com", "role": "viewer"}),
    ("GET", "/organizations/{org}/invitations", None),
    ("DELETE", "/organizations/{org}/invitations/{invitation}", None),
    ("GET", "/api-keys?org_id={org}", None),
    ("POST", "/api-keys", {"org_id": "{org}", "name": "k", "scopes": ["read"]}),
    ("DELETE", "/api-keys/{key}?org_id={org}", None),
    ("GET", "/customers?org_id={org}", None),
    ("POST", "/customers", {"org_id": "{org}", "external_id": "x"}),
    ("GET", "/customers/{customer}?org_id={org}", None),
]
# Without the organisation: found in none of the person's own.
BY_ID = [
    ("GET", "/invitations/{invitation}", None),
    ("POST", "/invitations/accept", {"token": "{invitation}"}),
    ("POST", "/invitations/reject", {"token": "{invitation}"}),
    ("DELETE", "/api-keys/{key}", None),
    ("PATCH", "/api-keys/{key}/toggle", None),
    ("GET", "/customers/{customer}", None),
    ("PUT", "/customers/{customer}", {"name": "Mine"}),
    ("DELETE", "/sessions/{session}", None),
]


@pytest.fixture(scope="module")
def world(backend):
    """Somebody's organisation with something of everything, and a stranger with one of her own."""
    with Person.signed_in(backend) as owner, Person.signed_in(backend) as stranger:
        made = owner.found()
        org = made["organization"]["id"]
        customer = owner.post("/customers", json={"org_id": org, "external_id": "c1"})
        ids = {
            "org": org,
            "user": owner.user_id,
            "invitation": owner.invite(org, new_email()).json()["invitation"]["id"],
            "key": made["api_keys"][0]["id"],
            "customer": customer.json()["customer"]["id"],
            "session": owner.get("/sessions").json()["sessions"][0]["id"],
        }
        stranger.found()
        yield owner, stranger, ids


def filled(body, ids):
    if body is None:
        return None
    return {k: v.format(**ids) if isinstance(v, str) else v for k, v in body.items()}


@pytest.mark.parametrize(("method", "path", "body"), FOREIGN + BY_ID)
def test_a_stranger_finds_nothing(world, method, path, body):
    _, stranger, ids = world
    content = filled(body, ids)

    answer = stranger.http.request(method, path.format(**ids), json=content)

    assert answer.status_code == 404, answer.text
    assert not [one for one in ids.values() if one in answer.text]


@pytest.mark.parametrize(
    ("method", "path"), [(m, p) for m, p, _ in FOREIGN + BY_ID] + [("GET", "/user/profile")]
)
def test_who_is_not_signed_in_is_told_nothing(backend, world, method, path):
    _, _, ids = world
    with Person(backend) as nobody:
        answer = nobody.http.request(method, path.format(**ids), json={})

    assert answer.status_code == 401


def test_what_a_stranger_tried_changed_nothing(world):
    owner, _, ids = world

    members = owner.get(f"/organizations/{ids['org']}/members").json()
    invitations = owner.get(f"/organizations/{ids['org']}/invitations").json()

    assert (members["count"], invitations["count"]) == (1, 1)
    assert owner.get(f"/organizations/{ids['org']}").json()["organization"]["name"] != "Mine"
    assert owner.get(f"/api-keys?org_id={ids['org']}").json()["count"] == 2


PEOPLE_ONLY = [
    ("GET", "/user/profile", None),
    ("GET", "/sessions", None),
    ("GET", "/organizations", None),
    ("POST", "/organizations", {"name": "Mine"}),
    ("GET", "/invitations/pending", None),
    ("GET", "/api-keys", None),
    ("POST", "/api-keys", {"name": "k", "scopes": ["read"]}),
    ("GET", "/organizations/{org}/members", None),
    ("POST", "/organizations/{org}/invite", {"email": "a@example.com", "role": "owner"}),
    ("DELETE", "/organizations/{org}/leave", None),
    ("POST", "/auth/reauthenticate", {"password": "any password"}),
]


@pytest.mark.parametrize(("method", "path", "body"), PEOPLE_ONLY)
def test_no_key_decides_who_may_act(backend, world, method, path, body):
    _, _, ids = world
    with Api.of(backend, UUID(ids["org"]), is_test=False) as key:
        answer = key.http.request(method, f"/api/v1{path.format(**ids)}", json=body)

    assert (answer.status_code, answer.json()["code"]) == (403, "people_only")


def test_a_key_reads_its_own_organisation_and_no_other(backend, world):
    _, stranger, ids = world
    other = stranger.get("/organizations").json()["organizations"][0]["id"]
    with Api.of(backend, UUID(ids["org"]), is_test=False) as key:
        answers = [key.get(f"/api/v1/organizations/{org}") for org in (ids["org"], other)]

    assert [answer.status_code for answer in answers] == [200, 403]
