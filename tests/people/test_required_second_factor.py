"""An organisation may require a second factor of its people; others, and keys, are not touched."""

from uuid import UUID

import pytest

from support.api import Api
from support.authenticator import SITE, Authenticator, add_passkey
from support.people import Person

REFUSED = (403, "second_factor_required")


@pytest.fixture
def strict(ada):
    """An organisation of a person without a second factor that has just begun to require one."""
    org = ada.found("Strict")["organization"]["id"]
    answer = require(ada, org, True)
    assert answer.json()["organization"]["require_second_factor"] is True
    return org


def require(person, org, wanted):
    return person.put(f"/organizations/{org}", json={"require_second_factor": wanted})


def set_up(person):
    """Have a passkey asked for; its id."""
    answer = add_passkey(person, Authenticator(SITE))
    assert answer.status_code == 201, answer.text
    return answer.json()["passkey"]["id"]


def refusal(answer):
    return answer.status_code, answer.json()["code"]


def customers(person, org):
    return person.get("/customers", params={"org_id": org})


def test_a_new_organisation_requires_none(ada):
    org = ada.found()["organization"]["id"]

    assert customers(ada, org).status_code == 200
    assert ada.get(f"/organizations/{org}").json()["organization"]["require_second_factor"] is False


def test_who_has_none_is_refused_all_of_the_organisation(ada, strict):
    answers = [
        customers(ada, strict),
        ada.post("/customers", json={"org_id": strict, "external_id": "c1"}),
        ada.get(f"/organizations/{strict}/members"),
        require(ada, strict, False),
        ada.delete(f"/organizations/{strict}/members/leave"),
    ]

    assert [refusal(answer) for answer in answers] == [REFUSED] * 5


def test_who_sets_one_up_goes_on_at_once_and_who_takes_it_away_does_not(ada, strict):
    passkey_id = set_up(ada)
    with_it = customers(ada, strict)
    removed = ada.delete(f"/user/passkeys/{passkey_id}")

    assert (with_it.status_code, removed.status_code) == (200, 200)
    assert refusal(customers(ada, strict)) == REFUSED


def test_an_app_that_is_not_confirmed_is_none(ada, strict):
    ada.post("/user/second-factor")

    assert refusal(customers(ada, strict)) == REFUSED


def test_other_organisations_are_not_touched(ada, strict):
    other = ada.found("Other")["organization"]["id"]
    made = ada.post("/customers", json={"org_id": other, "external_id": "c1"}).json()["customer"]

    assert customers(ada, other).status_code == 200
    # Named by nothing but its id, it is found where the person may look.
    assert ada.get(f"/customers/{made['id']}").status_code == 200
    assert refusal(customers(ada, strict)) == REFUSED


def test_what_is_only_in_the_strict_one_is_refused_and_not_unknown(ada, strict, backend):
    ada.found("Other")
    with Api.of(backend, UUID(strict), is_test=False) as key:
        made = key.post("/v1/customers", json={"external_id": "c1"}).json()["customer"]

    assert refusal(ada.get(f"/customers/{made['id']}")) == REFUSED


def test_an_outsider_learns_nothing_of_it(bola, strict):
    assert refusal(customers(bola, strict)) == (404, "organization_not_found")


def test_keys_are_not_asked(strict, backend):
    with Api.of(backend, UUID(strict), is_test=True) as key:
        assert key.get("/v1/customers").status_code == 200


def test_ones_own_account_stays_open(ada, strict):
    answers = [
        ada.get("/user/profile"),
        ada.get("/sessions"),
        ada.post("/user/second-factor"),
        ada.post("/user/passkeys/options"),
        ada.get("/organizations"),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 201, 200, 200]
    assert [one["id"] for one in answers[4].json()["organizations"]] == [strict]


def test_a_member_of_a_strict_organisation_signs_in_as_ever(ada, strict):
    answer = ada.login()

    assert (answer.status_code, answer.json()["organizations"][0]["id"]) == (200, strict)


def test_it_counts_for_who_was_at_work_before(ada, bola, backend):
    org = ada.found()["organization"]["id"]
    set_up(ada)
    ada.join(bola, org)
    before = customers(bola, org)
    with Person(backend, ada.email):
        require(ada, org, True)

    assert before.status_code == 200
    assert refusal(customers(bola, org)) == REFUSED
    assert customers(ada, org).status_code == 200
    assert require(ada, org, False).status_code == 200
    assert customers(bola, org).status_code == 200


def test_the_document_tells_the_refusal(backend):
    with Person(backend) as anybody:
        document = anybody.http.get(f"{backend.url}/openapi.json").json()

    told = document["paths"]["/api/v1/customers"]["get"]["responses"]["403"]["description"]
    assert "second factor" in told
