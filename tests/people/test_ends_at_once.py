"""What was allowed and is no more ends with the next request, wherever it is remembered."""

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from monigo import tenancy
from support.api import Api, event
from support.locks import hanging
from support.people import Person

# What hangs until the block ends, if it must wait for what hangs already.
MOMENT_SECONDS = 0.5


@pytest.fixture
def org(ada):
    return ada.found()["organization"]["id"]


@pytest.fixture
def shop(backend, org):
    """A key of the organisation, which is remembered wherever keys are."""
    with Api.of(backend, UUID(org), is_test=True) as key:
        key.customer("c1")
        key.money = key.wallet("c1", funds="100")
        key.ingest(event("first"))
        yield key


@pytest.fixture
def joined(ada, org, backend):
    """Somebody who belongs to Ada's organisation, in a role."""
    people = []

    def join(role):
        person = Person.signed_in(backend)
        people.append(person)
        ada.join(person, org, role)
        return person

    yield join
    for person in people:
        person.http.close()


def refusal(answer):
    return answer.status_code, answer.json().get("code")


def uses_of(key):
    """What a key does most: read, change, send events, move money."""
    return [
        key.get("/v1/customers"),
        key.put("/v1/customers/c1", json={"name": "Ada"}),
        key.post("/v1/ingest", json={"events": [event(f"e{time.monotonic_ns()}")]}),
        key.move(key.money, "debit", "1"),
        key.http.post(
            f"/v1/wallets/{key.money['id']}/credit",
            json={
                "amount": "1",
                "currency": "NGN",
                "entry_type": "deposit",
                "idempotency_key": f"m{time.monotonic_ns()}",
            },
            headers={"Idempotency-Key": f"k{time.monotonic_ns()}"},
        ),
    ]


def statuses(answers):
    return [answer.status_code for answer in answers]


def suspend(backend, org):
    backend.run(tenancy.suspend_organization(backend.services.database, UUID(org)))


def activate(backend, org):
    backend.run(tenancy.activate_organization(backend.services.database, UUID(org)))


def test_a_key_of_a_suspended_organisation_only_reads(backend, org, shop):
    before = uses_of(shop)
    suspend(backend, org)
    meanwhile = uses_of(shop)
    activate(backend, org)

    assert statuses(before) == statuses(uses_of(shop)) == [200, 200, 202, 200, 200]
    assert [refusal(answer) for answer in meanwhile[1:]] == [(403, "organization_suspended")] * 4
    assert meanwhile[0].status_code == 200


def test_a_person_of_a_suspended_organisation_only_reads(ada, backend, org):
    suspend(backend, org)

    answers = [
        ada.post("/customers", json={"org_id": org, "external_id": "c1"}),
        ada.post("/api-keys", json={"org_id": org, "name": "k", "scopes": ["read"]}),
        ada.put(f"/organizations/{org}", json={"name": "Mine"}),
        ada.invite(org, "somebody@example.com"),
    ]
    reads = [
        ada.get("/customers", params={"org_id": org}),
        ada.get(f"/organizations/{org}"),
        ada.get(f"/organizations/{org}/members"),
        ada.get("/api-keys", params={"org_id": org}),
    ]

    assert {refusal(answer) for answer in answers} == {(403, "organization_suspended")}
    assert statuses(reads) == [200] * 4


def test_nobody_joins_a_suspended_organisation(ada, bola, backend, org):
    invitation = ada.invite(org, bola.email).json()["invitation"]["id"]
    suspend(backend, org)

    refused = bola.post("/invitations/accept", json={"token": invitation})
    activate(backend, org)

    assert refusal(refused) == (403, "organization_suspended")
    assert bola.post("/invitations/accept", json={"token": invitation}).status_code == 200


def test_another_organisation_of_the_same_person_is_not_suspended(ada, backend, org):
    other = ada.found("Another")["organization"]["id"]
    made = ada.post("/customers", json={"org_id": other, "external_id": "c1"}).json()["customer"]
    suspend(backend, org)

    answers = [
        ada.put(f"/customers/{made['id']}", json={"name": "Found there"}),
        ada.post("/customers", json={"org_id": other, "external_id": "c2"}),
    ]

    assert statuses(answers) == [200, 201]


def test_suspending_twice_is_told_once(backend, org):
    suspend(backend, org)
    suspend(backend, org)
    activate(backend, org)

    rows = backend.sql(
        "SELECT type FROM outbox_facts WHERE org_id = $1 AND type LIKE 'Organization%' ORDER BY id",
        org,
    )
    assert [row["type"] for row in rows] == [
        "OrganizationCreated",
        "OrganizationSuspended",
        "OrganizationActivated",
    ]


def test_a_key_that_is_switched_off_ends_everywhere_until_it_is_on_again(ada, org, shop):
    listed = ada.get("/api-keys", params={"org_id": org}).json()["api_keys"]
    toggle = f"/api-keys/{listed[0]['id']}/toggle"
    before = uses_of(shop)
    ada.patch(toggle)
    meanwhile = uses_of(shop)
    ada.patch(toggle)

    assert statuses(before) == statuses(uses_of(shop)) == [200, 200, 202, 200, 200]
    assert {refusal(answer) for answer in meanwhile} == {(401, "invalid_credential")}


def test_a_key_that_is_revoked_ends_everywhere(ada, org, shop):
    uses_of(shop)
    listed = ada.get("/api-keys", params={"org_id": org}).json()["api_keys"]

    ada.delete(f"/api-keys/{listed[0]['id']}")

    assert {refusal(answer) for answer in uses_of(shop)} == {(401, "invalid_credential")}


def test_a_session_that_was_ended_reads_and_changes_nothing_more(ada, org):
    elsewhere = Person(ada.backend, ada.email)
    elsewhere.keep(elsewhere.login())
    devices = ada.get("/sessions").json()["sessions"]
    other = next(one["id"] for one in devices if not one["is_current"])

    ended = ada.delete(f"/sessions/{other}")

    assert ended.status_code == 200
    assert [
        elsewhere.get("/user/profile").status_code,
        elsewhere.get("/customers", params={"org_id": org}).status_code,
        elsewhere.post("/customers", json={"org_id": org, "external_id": "c"}).status_code,
    ] == [401] * 3
    elsewhere.http.close()


LOCK_ORGANIZATION = "SELECT 1 FROM organizations WHERE org_id = $1 FOR UPDATE"


@pytest.mark.parametrize("ending", ["removed", "made a viewer", "signed out"])
def test_who_ends_somebody_finds_all_keys_that_they_made(ada, org, joined, backend, ending):
    """A key would outlive its maker unseen, if it came after their end was told."""
    admin = joined("admin")
    member = f"/organizations/{org}/members/{admin.user_id}"
    refresh = admin.tokens["refresh_token"]
    end = {
        "removed": lambda: ada.delete(member),
        "made a viewer": lambda: ada.patch(member, json={"role": "viewer"}),
        "signed out": lambda: ada.ask("logout", refresh_token=refresh),
    }[ending]

    def make():
        body = {"org_id": org, "name": "late", "scopes": ["read"]}
        return admin.post("/api-keys", json=body)

    with ThreadPoolExecutor(1) as pool, hanging(backend, make, LOCK_ORGANIZATION, org) as made:
        ended = pool.submit(end)
        time.sleep(MOMENT_SECONDS)
        is_waiting = not ended.done()

    names = [key["name"] for key in ada.get("/api-keys", params={"org_id": org}).json()["api_keys"]]
    assert (is_waiting, made[0].status_code, ended.result().status_code) == (True, 201, 200)
    assert "late" in names
    assert make().status_code in {401, 403, 404}


def test_of_two_admins_who_remove_each_other_at_once_one_stays(ada, org, joined):
    admins = [joined("admin"), joined("admin")]

    def remove_other(at):
        other = admins[1 - at].user_id
        return admins[at].delete(f"/organizations/{org}/members/{other}")

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(remove_other, range(2)))

    members = ada.get(f"/organizations/{org}/members").json()["members"]
    assert sorted(statuses(answers)) in ([200, 403], [200, 404])
    assert sorted(one["role"] for one in members) == ["admin", "owner"]


DEMOTE = "UPDATE memberships SET role = 'member' WHERE org_id = $1 AND user_id = $2"


@pytest.mark.parametrize("asked", ["a role", "an end", "an invitation"])
def test_who_is_no_admin_any_more_by_the_time_it_counts_is_refused(org, joined, backend, asked):
    """The role is read again under its lock, by whatever makes or ends members."""
    admin, viewer = joined("admin"), joined("viewer")
    other = f"/organizations/{org}/members/{viewer.user_id}"
    ask = {
        "a role": lambda: admin.patch(other, json={"role": "admin"}),
        "an end": lambda: admin.delete(other),
        "an invitation": lambda: admin.invite(org, "late@example.com"),
    }[asked]

    with hanging(backend, ask, DEMOTE, org, admin.user_id, commits=True) as answers:
        pass

    assert refusal(answers[0]) == (403, "owners_only")
