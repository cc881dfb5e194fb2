"""Organisations of people: founding, members, roles, invitations."""

from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest

from monigo.core.access import Role, permissions_of_role
from monigo.infra.db import Tenant
from support.mail import text_of, token_in
from support.people import Person, new_email


@pytest.fixture
def org(ada):
    """An organisation of Ada's."""
    return ada.found()["organization"]["id"]


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
    return answer.status_code, answer.json()["code"]


def role_of(person, org):
    own = person.get("/organizations").json()["organizations"]
    return next((one["role"] for one in own if one["id"] == org), None)


def test_who_makes_an_organisation_owns_it_and_gets_two_keys(ada, backend):
    made = ada.found("Lagos Rides", country="NG")

    organization, keys = made["organization"], made["api_keys"]
    assert [organization[name] for name in ("name", "country", "timezone")] == [
        "Lagos Rides",
        "NG",
        "Africa/Lagos",
    ]
    assert (organization["default_currency"], organization["vat_rate"]) == ("NGN", 7.5)
    assert [(key["is_test_mode"], key["key"][:8]) for key in keys] == [
        (True, "mk_test_"),
        (False, "mk_live_"),
    ]
    answers = [
        ada.http.get(
            f"{backend.url}/v1/customers", headers={"Authorization": f"Bearer {key['key']}"}
        ).status_code
        for key in keys
    ]
    assert (answers, role_of(ada, organization["id"])) == ([200, 200], "owner")


def test_a_country_proposes_what_is_not_said(ada):
    made = ada.found("Nairobi Rides", country="KE", default_currency="USD")["organization"]

    assert (made["timezone"], made["default_currency"], made["vat_rate"]) == (
        "Africa/Nairobi",
        "USD",
        16,
    )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"country": "XX"}, "country"),
        ({"timezone": "Lagos"}, "timezone"),
        ({"default_currency": "ngn"}, "default_currency"),
        ({"available_currencies": ["NGN", "?"]}, "available_currencies[1]"),
        ({"vat_rate": 101}, "vat_rate"),
    ],
)
def test_settings_that_are_not_taken_are_named(ada, fields, field):
    answer = ada.post("/organizations", json={"name": "Rides", **fields})

    assert (answer.status_code, list(answer.json()["details"])) == (400, [field])
    assert ada.get("/organizations").json() == {
        "organizations": [],
        "count": 0,
        "total": 0,
        "has_more": False,
    }


def test_an_answer_with_keys_is_kept_sealed_and_told_again(ada, backend):
    headers = {"Idempotency-Key": "found once"}

    first, again = (
        ada.post("/organizations", json={"name": "Rides"}, headers=headers) for _ in range(2)
    )

    assert (first.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert first.json() == again.json()
    assert ada.get("/organizations").json()["count"] == 1
    kept = b"".join(
        row["response_body"] or b""
        for row in backend.sql("SELECT response_body FROM idempotency_records")
    )
    assert first.json()["api_keys"][0]["key"].encode() not in kept


def test_two_people_may_use_the_same_idempotency_key(ada, bola):
    headers = {"Idempotency-Key": "the same"}

    answers = [
        one.post("/organizations", json={"name": "Rides"}, headers=headers) for one in (ada, bola)
    ]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert len({answer.json()["organization"]["id"] for answer in answers}) == 2


def test_signing_in_tells_the_organisations_and_what_the_role_allows(ada, org):
    (own,) = ada.login().json()["organizations"]

    assert (own["id"], own["name"], own["role"]) == (org, "Lagos Rides", "owner")
    assert own["permissions"] == sorted(permissions_of_role(Role.OWNER))
    assert ada.get("/organizations").json()["organizations"] == [own]


def test_settings_are_read_by_members_and_changed_by_managers(ada, org, joined):
    member, admin = joined("member"), joined("admin")
    change = {"name": "Abuja Rides"}

    answers = [
        member.get(f"/organizations/{org}").status_code,
        member.put(f"/organizations/{org}", json=change).status_code,
        admin.put(f"/organizations/{org}", json=change).status_code,
    ]

    assert answers == [200, 403, 200]
    assert ada.get(f"/organizations/{org}").json()["organization"]["name"] == "Abuja Rides"


def test_who_is_invited_joins_by_the_mailed_link(ada, bola, org):
    invited = ada.invite(org, bola.email.upper(), "admin")
    mail = bola.mails(Tenant(org, is_test=False))[-1]
    token = token_in(mail)

    shown = bola.get(f"/invitations/{token}")
    listed = bola.get("/invitations/pending")
    accepted = bola.post("/invitations/accept", json={"token": token})

    invitation = invited.json()["invitation"]
    assert {key: invitation[key] for key in ("org_id", "org_name", "email", "role", "status")} == {
        "org_id": org,
        "org_name": "Lagos Rides",
        "email": bola.email,
        "role": "admin",
        "status": "pending",
    }
    assert shown.json() == invited.json()
    assert listed.json() == {
        "invitations": [invitation],
        "count": 1,
        "total": 1,
        "has_more": False,
    }
    assert (accepted.status_code, role_of(bola, org)) == (200, "admin")
    members = ada.get(f"/organizations/{org}/members").json()["members"]
    assert [(one["email"], one["role"]) for one in members] == [
        (ada.email, "owner"),
        (bola.email, "admin"),
    ]
    assert token not in invited.text + listed.text + accepted.text
    assert "asks you to become an admin" in text_of(mail)


def test_an_invitation_counts_once(ada, bola, org):
    ada.join(bola, org)
    token = token_in(bola.mails(Tenant(org, is_test=False))[-1])
    ada.delete(f"/organizations/{org}/members/{bola.user_id}")

    again = bola.post("/invitations/accept", json={"token": token})

    assert refusal(again) == (404, "invitation_not_found")
    assert role_of(bola, org) is None


def test_an_invitation_is_to_one_email(ada, bola, org, backend):
    email = new_email()
    ada.invite(org, email)
    with Person.signed_in(backend, email) as invited:
        token = token_in(invited.mails(Tenant(org, is_test=False))[-1])

    answer = bola.post("/invitations/accept", json={"token": token})

    assert refusal(answer) == (403, "other_recipient")
    assert bola.get(f"/invitations/{token}").status_code == 403


def test_an_invitation_is_accepted_by_its_id_by_whom_it_is_to_only(ada, bola, org, backend):
    invitation = ada.invite(org, bola.email).json()["invitation"]
    with Person.signed_in(backend) as stranger:
        refused = stranger.post("/invitations/accept", json={"token": invitation["id"]})

    accepted = bola.post("/invitations/accept", json={"token": invitation["id"]})

    assert refusal(refused) == (404, "invitation_not_found")
    assert (accepted.status_code, role_of(bola, org)) == (200, "member")


def test_an_invitation_is_open_for_seven_days(ada, bola, org, backend):
    ada.invite(org, bola.email)
    token = token_in(bola.mails(Tenant(org, is_test=False))[-1])
    backend.clock.advance(days=7)
    bola.keep(bola.refresh())
    ada.keep(ada.login())

    answer = bola.post("/invitations/accept", json={"token": token})

    assert refusal(answer) == (404, "invitation_not_found")
    assert ada.get(f"/organizations/{org}/invitations").json()["count"] == 0
    assert ada.invite(org, bola.email).status_code == 201


def test_one_invitation_to_an_email_is_open_at_a_time(ada, bola, org):
    first, second = ada.invite(org, bola.email), ada.invite(org, bola.email.upper())

    assert (first.status_code, refusal(second)) == (201, (409, "already_invited"))


def test_two_invitations_at_once_are_one(ada, org):
    email = new_email()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: ada.invite(org, email), range(4)))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


def test_a_member_is_not_invited(ada, bola, org):
    ada.join(bola, org)

    assert refusal(ada.invite(org, bola.email)) == (409, "already_member")


def test_who_rejects_may_be_asked_again(ada, bola, org):
    invitation = ada.invite(org, bola.email).json()["invitation"]

    rejected = bola.post("/invitations/reject", json={"token": invitation["id"]})

    assert rejected.status_code == 200
    assert bola.get("/invitations/pending").json()["count"] == 0
    assert ada.invite(org, bola.email).status_code == 201


def test_an_invitation_is_withdrawn(ada, bola, org):
    invitation = ada.invite(org, bola.email).json()["invitation"]
    path = f"/organizations/{org}/invitations/{invitation['id']}"

    answers = [ada.delete(path).status_code, ada.delete(path).status_code]

    assert answers == [200, 404]
    assert bola.post("/invitations/accept", json={"token": invitation["id"]}).status_code == 404


@pytest.mark.parametrize(
    ("actor", "role", "status"),
    [
        ("admin", "owner", 403),
        ("admin", "admin", 201),
        ("member", "viewer", 403),
        ("viewer", "viewer", 403),
    ],
)
def test_who_may_invite_whom(org, joined, actor, role, status):
    assert joined(actor).invite(org, new_email(), role).status_code == status


@pytest.mark.parametrize(("email", "role"), [("nobody", "member"), ("a@example.com", "boss")])
def test_an_odd_invitation_is_named(ada, org, email, role):
    assert ada.invite(org, email, role).status_code == 400


def change(person, org, other, role):
    path = f"/organizations/{org}/members/{other.user_id}"
    return person.patch(path, json={"role": role})


def test_an_owner_makes_another(ada, org, joined):
    bola = joined("member")

    answer = change(ada, org, bola, "owner")

    assert answer.json()["member"]["role"] == role_of(bola, org) == "owner"
    assert change(bola, org, ada, "member").status_code == 200


@pytest.mark.parametrize(("before", "after"), [("member", "owner"), ("owner", "member")])
def test_an_admin_makes_and_unmakes_no_owner(ada, org, joined, before, after):
    admin, other = joined("admin"), joined("member")
    change(ada, org, other, before)

    assert refusal(change(admin, org, other, after)) == (403, "owners_only")
    assert role_of(other, org) == before


def test_an_admin_removes_no_owner(ada, org, joined):
    admin = joined("admin")

    answer = admin.delete(f"/organizations/{org}/members/{ada.user_id}")

    assert refusal(answer) == (403, "owners_only")


def test_the_last_owner_stays(ada, org, joined):
    joined("admin")

    answers = [
        ada.delete(f"/organizations/{org}/leave"),
        ada.delete(f"/organizations/{org}/members/{ada.user_id}"),
        change(ada, org, ada, "admin"),
    ]

    assert {refusal(answer) for answer in answers} == {(409, "last_owner")}


def test_of_two_owners_who_leave_at_once_one_stays(ada, org, joined):
    bola = joined("owner")
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda one: one.delete(f"/organizations/{org}/leave"), (ada, bola)))

    assert sorted(answer.status_code for answer in answers) == [200, 409]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM memberships WHERE org_id = $1",
        "UPDATE memberships SET role = 'member' WHERE org_id = $1",
    ],
)
def test_the_database_keeps_an_owner_itself(backend, org, statement):
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        backend.sql(statement, org)

    assert refused.value.constraint_name == "memberships_keep_an_owner"


def test_who_leaves_belongs_no_more(org, joined):
    bola = joined("viewer")

    answer = bola.delete(f"/organizations/{org}/leave")

    assert (answer.status_code, role_of(bola, org)) == (200, None)
    assert bola.get(f"/organizations/{org}/members").status_code == 404


def test_who_is_removed_may_do_nothing_more_at_once(ada, org, joined):
    bola = joined("admin")
    before = bola.get("/customers", params={"org_id": org}).status_code

    ada.delete(f"/organizations/{org}/members/{bola.user_id}")

    assert before == 200
    assert refusal(bola.get("/customers", params={"org_id": org})) == (
        404,
        "organization_not_found",
    )


def test_a_changed_role_counts_at_once(ada, org, joined):
    bola = joined("viewer")
    body = {"org_id": org, "external_id": "c1"}
    before = bola.post("/customers", json=body)

    change(ada, org, bola, "member")

    assert refusal(before) == (403, "role_lacks_right")
    assert bola.post("/customers", json=body).status_code == 201


def test_what_can_do_harm_asks_for_a_fresh_log_in(ada, bola, org, backend):
    ada.join(bola, org)
    backend.clock.advance(minutes=16)
    ada.keep(ada.refresh())
    old = [
        change(ada, org, bola, "viewer"),
        ada.invite(org, new_email()),
        ada.post("/api-keys", json={"org_id": org, "name": "k", "scopes": ["read"]}),
    ]

    ada.ask("reauthenticate", password=ada.password)

    assert {refusal(answer) for answer in old} == {(403, "reauthentication_required")}
    assert change(ada, org, bola, "viewer").status_code == 200
