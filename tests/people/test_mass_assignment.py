"""What a body or a header says beside its fields makes nobody more than they are."""

from uuid import UUID

import pytest

from monigo.tenancy import Scope
from support.api import Api
from support.people import Person, new_email

FOREIGN_ID = "0197b3c0-0000-7000-8000-000000000000"


@pytest.fixture
def org(ada):
    return ada.found()["organization"]["id"]


@pytest.fixture
def others_org(bola):
    return bola.found("Bola's")["organization"]["id"]


def refusal(answer):
    return answer.status_code, answer.json().get("code")


def role_of(person, org):
    own = person.get("/organizations").json()["organizations"]
    return next(one["role"] for one in own if one["id"] == org)


def test_who_founds_an_organisation_decides_nothing_of_its_id_or_its_keys(ada):
    more = {
        "id": FOREIGN_ID,
        "org_id": FOREIGN_ID,
        "role": "viewer",
        "is_verified": True,
        "suspended_at": "2026-01-01T00:00:00Z",
        "api_keys": [{"name": "mine", "key": "mk_live_known"}],
        "monthly_event_quota": 7,
    }

    made = ada.found("Rides", **more)

    assert FOREIGN_ID not in str(made)
    assert role_of(ada, made["organization"]["id"]) == "owner"
    assert [key["name"] for key in made["api_keys"]] == ["test key", "live key"]
    assert made["organization"].get("monthly_event_quota") is None


def test_settings_move_no_organisation_and_end_no_suspension(ada, backend, org):
    more = {"id": FOREIGN_ID, "suspended_at": None, "created_at": "2000-01-01T00:00:00Z"}
    suspend = "UPDATE organizations SET suspended_at = now() WHERE org_id = $1"
    before = ada.get(f"/organizations/{org}").json()["organization"]

    changed = ada.put(f"/organizations/{org}", json={"name": "New", **more}).json()["organization"]
    backend.sql(suspend, org)
    refused = ada.put(f"/organizations/{org}", json=more)

    assert (changed["id"], changed["created_at"]) == (org, before["created_at"])
    assert refusal(refused) == (403, "organization_suspended")


def test_a_member_names_no_role_of_their_own(ada, bola, org):
    ada.join(bola, org, "viewer")

    answers = [
        bola.put("/user/profile", json={"full_name": "Bola", "role": "owner", "org_id": org}),
        bola.post(
            "/customers", json={"org_id": org, "external_id": "c", "role": "owner", "scopes": "*"}
        ),
    ]

    assert [answer.status_code for answer in answers] == [200, 403]
    assert role_of(bola, org) == "viewer"


def test_who_accepts_an_invitation_gets_the_role_that_it_says(ada, bola, org):
    invitation = ada.invite(org, bola.email, "viewer").json()["invitation"]["id"]

    accepted = bola.post(
        "/invitations/accept", json={"token": invitation, "role": "owner", "org_id": FOREIGN_ID}
    )

    assert accepted.status_code == 200
    assert role_of(bola, org) == "viewer"


def test_a_role_is_given_to_the_member_in_the_path_and_to_nobody_else(ada, backend, org):
    with Person.signed_in(backend) as bola, Person.signed_in(backend) as chidi:
        ada.join(bola, org, "viewer")
        ada.join(chidi, org, "viewer")
        path = f"/organizations/{org}/members/{bola.user_id}"

        ada.patch(path, json={"role": "member", "user_id": chidi.user_id, "email": new_email()})

        assert (role_of(bola, org), role_of(chidi, org)) == ("member", "viewer")


def test_a_key_is_of_the_organisation_that_was_named_once(ada, org, others_org):
    body = {"name": "k", "scopes": ["read"]}

    answers = [
        ada.post(f"/api-keys?org_id={org}", json={**body, "org_id": others_org}),
        ada.post("/api-keys", json={**body, "org_id": others_org}),
        ada.put(f"/organizations/{org}?org_id={others_org}", json={"name": "Mine"}),
    ]

    assert [answer.status_code for answer in answers] == [400, 404, 400]


def test_what_is_made_belongs_to_the_caller_whatever_the_body_says(ada, backend, org):
    more = {"id": FOREIGN_ID, "created_at": "2000-01-01T00:00:00Z", "is_test_mode": True}

    made = ada.post("/customers", json={"org_id": org, "external_id": "c1", **more}).json()
    with Api.of(backend, UUID(org), is_test=True) as key:
        in_test_mode = key.get("/v1/customers/c1").status_code

    customer = made["customer"]
    assert (customer["org_id"], customer["id"] == FOREIGN_ID, in_test_mode) == (org, False, 404)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Org-Id": "{other}"},
        {"X-Organization-Id": "{other}"},
        {"X-Monigo-Org": "{other}"},
        {"X-User-Id": "{user}"},
        {"X-Forwarded-User": "{user}"},
        {"X-HTTP-Method-Override": "DELETE"},
        {"X-Original-URL": "/api/v1/organizations/{other}"},
    ],
)
def test_a_header_names_no_organisation_person_or_route(ada, bola, org, others_org, headers):
    known = {"other": others_org, "user": bola.user_id}
    sent = {name: text.format(**known) for name, text in headers.items()}

    named = ada.get(f"/organizations/{org}", headers=sent)
    foreign = ada.get(f"/organizations/{others_org}", headers=sent)
    profile = ada.get("/user/profile", headers=sent)

    assert named.json()["organization"]["id"] == org
    assert refusal(foreign) == (404, "organization_not_found")
    assert profile.json()["user"]["id"] == ada.user_id


@pytest.mark.parametrize(
    "said",
    [
        {"headers": {"X-Test-Mode": "true"}},
        {"headers": {"X-Is-Test": "true"}},
        {"headers": {"X-Monigo-Mode": "test"}},
        {"params": {"mode": "test"}},
        {"params": {"is_test_mode": "true"}},
    ],
)
def test_the_mode_is_said_by_is_test_alone(ada, org, said):
    ada.post("/customers", json={"org_id": org, "external_id": "live"})

    answer = ada.get("/customers", **said)

    assert [one["external_id"] for one in answer.json()["customers"]] == ["live"]


@pytest.mark.parametrize("said", ["1", "yes", "True", "TRUE", "null"])
def test_an_odd_mode_is_refused(ada, org, said):
    answer = ada.get("/customers", params={"org_id": org, "is_test": said})

    assert (answer.status_code, list(answer.json()["details"])) == (400, ["is_test"])


def test_a_token_of_another_organisations_person_opens_nothing_here(ada, bola, org, others_org):
    here, there = ({"params": {"org_id": one}} for one in (org, others_org))

    assert [
        ada.get("/customers", **here).status_code,
        bola.get("/customers", **here).status_code,
    ] == [
        200,
        404,
    ]
    assert bola.get("/customers", **there).status_code == 200


def test_a_keys_scopes_are_its_own_whatever_is_sent_along(backend, org):
    with Api.of(backend, UUID(org), is_test=True, scopes=[Scope.READ]) as key:
        body = {"external_id": "c", "scopes": ["write"], "is_test": True, "org_id": org}
        answers = [
            key.post("/api/v1/customers", json=body),
            key.post("/v1/customers?scopes=write", json=body, headers={"X-Scopes": "write"}),
        ]

    assert {refusal(answer) for answer in answers} == {(403, "scope_missing")}
