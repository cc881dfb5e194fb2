"""What a person asks of an organisation: which one, in which mode, and in whose name."""

from uuid import UUID

import pytest

from support.api import Api


@pytest.fixture
def org(ada):
    return ada.found()["organization"]["id"]


def customer(person, external_id, **where):
    answer = person.post("/customers", json={"external_id": external_id, **where})
    assert answer.status_code == 201, answer.text
    return answer.json()["customer"]


def ids(answer):
    return [one["external_id"] for one in answer.json()["customers"]]


def test_who_belongs_to_one_organisation_need_not_name_it(ada, org):
    made = customer(ada, "c1")

    assert made["org_id"] == org
    assert ids(ada.get("/customers")) == ids(ada.get("/customers", params={"org_id": org}))


def test_a_person_acts_on_live_data_unless_they_say_test(ada, org, backend):
    customer(ada, "live")
    customer(ada, "test", is_test=True)

    assert ids(ada.get("/customers")) == ["live"]
    assert ids(ada.get("/customers", params={"is_test": "true"})) == ["test"]
    with Api.of(backend, UUID(org), is_test=True) as key:
        assert ids(key.get("/v1/customers")) == ["test"]


@pytest.mark.usefixtures("org")
def test_a_mode_that_differs_between_query_and_body_is_refused(ada):
    answer = ada.post("/customers?is_test=true", json={"external_id": "c", "is_test": False})

    assert (answer.status_code, list(answer.json()["details"])) == (400, ["is_test"])


def test_an_organisation_that_differs_between_query_and_body_is_refused(ada, org):
    other = ada.found("Another")["organization"]["id"]
    answer = ada.post(f"/customers?org_id={org}", json={"external_id": "c", "org_id": other})

    assert (answer.status_code, list(answer.json()["details"])) == (400, ["org_id"])


@pytest.mark.usefixtures("org")
@pytest.mark.parametrize("named", ["nobody", "00000000-0000-0000-0000-000000000000"])
def test_an_organisation_that_is_none_is_not_found(ada, named):
    assert ada.get("/customers", params={"org_id": named}).status_code == 404


def test_of_several_organisations_one_is_named(ada, org):
    other = ada.found("Another")["organization"]["id"]
    customer(ada, "there", org_id=other)

    unnamed = ada.get("/customers")

    assert (unnamed.status_code, list(unnamed.json()["details"])) == (400, ["org_id"])
    assert ids(ada.get("/customers", params={"org_id": other})) == ["there"]
    assert ids(ada.get("/customers", params={"org_id": org})) == []


def test_what_is_asked_for_by_id_is_found_in_whichever_organisation_has_it(ada, org):
    others = [ada.found(f"Number {n}")["organization"]["id"] for n in range(2)]
    made = [customer(ada, "same", org_id=one) for one in (org, *others)]

    found = [ada.get(f"/customers/{one['id']}").json()["customer"]["org_id"] for one in made]
    renamed = ada.put(f"/customers/{made[2]['id']}", json={"name": "Third"})
    deleted = ada.delete(f"/customers/{made[1]['id']}")

    assert found == [org, *others]
    assert renamed.json()["customer"]["org_id"] == others[1]
    assert deleted.status_code == 200
    left = [ids(ada.get("/customers", params={"org_id": one})) for one in (org, *others)]
    assert left == [["same"], [], ["same"]]


@pytest.mark.usefixtures("org")
def test_an_external_id_which_several_organisations_may_have_is_not_sought(ada):
    ada.found("Another")

    answer = ada.get("/customers/same")

    assert (answer.status_code, list(answer.json()["details"])) == (400, ["org_id"])


def test_where_the_role_lacks_the_right_that_is_told_and_not_that_nothing_is_there(ada, bola, org):
    ada.join(bola, org, "viewer")
    bola.found("Her own")
    made = customer(ada, "c1")

    answer = bola.delete(f"/customers/{made['id']}")

    assert (answer.status_code, answer.json()["code"]) == (403, "role_lacks_right")


def test_who_belongs_to_none_is_told_so(bola):
    answer = bola.get("/customers")

    assert (answer.status_code, answer.json()["code"]) == (404, "organization_not_found")


def test_money_is_moved_by_a_person_as_by_a_key(ada, org):
    customer(ada, "c1")
    body = {"org_id": org, "customer_id": "c1", "currency": "NGN"}
    wallet = ada.post("/wallets", json=body).json()["wallet"]
    credit = {"amount": "5", "currency": "NGN", "entry_type": "deposit", "idempotency_key": "k"}

    moved = ada.post(f"/wallets/{wallet['id']}/credit", json=credit)

    assert moved.status_code == 200, moved.text
    assert moved.json()["wallet"]["balance"] == "5.000000"


def test_what_happens_names_the_person(ada, org, backend):
    customer(ada, "c1")

    rows = backend.sql(
        "SELECT actor FROM outbox_facts WHERE org_id = $1 AND type = 'CustomerCreated'", org
    )

    assert {row["actor"] for row in rows} == {f"person:{ada.user_id}"}


@pytest.mark.usefixtures("org")
def test_a_repeat_of_a_person_is_answered_as_before(ada):
    headers, body = {"Idempotency-Key": "k1"}, {"external_id": "c1"}

    first, again = (ada.post("/customers", json=body, headers=headers) for _ in range(2))

    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"


@pytest.mark.usefixtures("org")
def test_a_large_body_of_who_signed_out_is_not_read(ada):
    ada.ask("logout", refresh_token=ada.tokens["refresh_token"])

    answer = ada.post("/customers", content=b"[" + b" " * 900_000)

    assert answer.status_code == 401


def test_people_make_list_switch_and_end_keys(ada, org, backend):
    body = {"org_id": org, "name": "service", "scopes": ["read"], "is_test_mode": True}
    made = ada.post("/api-keys", json=body).json()
    key = made["api_key"]
    headers = {"Authorization": f"Bearer {key['key']}"}

    def use():
        return ada.http.get(f"{backend.url}/v1/customers", headers=headers).status_code

    on = use()
    off_answer = ada.patch(f"/api-keys/{key['id']}/toggle").json()
    off = use()
    ada.patch(f"/api-keys/{key['id']}/toggle")
    on_again = use()
    listed = ada.get("/api-keys", params={"org_id": org})
    ended = ada.delete(f"/api-keys/{key['id']}")

    assert (on, off, on_again, use()) == (200, 401, 200, 401)
    assert (off_answer["api_key"]["is_active"], ended.status_code) == (False, 200)
    assert [one["name"] for one in listed.json()["api_keys"]] == ["service", "live key", "test key"]
    assert "key" not in listed.json()["api_keys"][0]
    assert key["key"] not in listed.text
    assert ada.patch(f"/api-keys/{key['id']}/toggle").status_code == 409


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": " "}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["all"]}, "scopes[0]"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
    ],
)
def test_a_key_that_is_not_made_says_why(ada, org, changed, field):
    body = {"org_id": org, "name": "k", "scopes": ["read"], **changed}

    answer = ada.post("/api-keys", json=body)

    assert (answer.status_code, list(answer.json()["details"])) == (400, [field])


def test_when_a_key_was_used_is_known_to_the_minute_and_costs_no_request_a_write(ada, org, backend):
    backend.clock.stand_still()
    with Api.of(backend, UUID(org), is_test=True) as key:
        key.get("/v1/customers")
        key.get("/v1/customers")
        before = last_used(ada, org)
        backend.run(backend.services.key_use.write())
        after = last_used(ada, org)

    minute = backend.clock.now().replace(second=0, microsecond=0)
    assert (before["test"], after["test"]) == (None, minute.isoformat().replace("+00:00", "Z"))


def last_used(person, org):
    listed = person.get("/api-keys", params={"org_id": org}).json()["api_keys"]
    return {one["name"]: one["last_used_at"] for one in listed}


def test_a_key_that_does_not_count_is_not_used(ada, org, backend):
    with Api.of(backend, UUID(org), is_test=True) as key:
        key_id = ada.get("/api-keys", params={"org_id": org}).json()["api_keys"][0]["id"]
        ada.delete(f"/api-keys/{key_id}")
        key.get("/v1/customers")
        backend.run(backend.services.key_use.write())

    assert last_used(ada, org)["test"] is None
