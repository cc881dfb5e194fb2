"""Lists of people, keys, devices and invitations: by pages, like all lists."""

from uuid import UUID

import pytest

from monigo import tenancy
from support.people import Person, new_email


@pytest.fixture
def org(ada):
    return ada.found()["organization"]["id"]


def organizations(ada, _org):
    ada.found("Second")
    ada.found("Third")
    return "/organizations", "organizations", {}


def members(ada, org):
    for _ in range(2):
        with Person.signed_in(ada.backend) as other:
            ada.join(other, org)
    return f"/organizations/{org}/members", "members", {}


def invitations(ada, org):
    for _ in range(3):
        ada.invite(org, new_email())
    return f"/organizations/{org}/invitations", "invitations", {}


def own_invitations(ada, _org):
    with Person.signed_in(ada.backend) as other:
        for number in range(3):
            other.invite(other.found(f"Org {number}")["organization"]["id"], ada.email)
    return "/invitations/pending", "invitations", {}


def api_keys(ada, org):
    database = ada.backend.services.database
    ada.backend.run(tenancy.issue_key(database, UUID(org), name="third", is_test_mode=True))
    return "/api-keys", "api_keys", {"org_id": org}


def sessions(ada, _org):
    for _ in range(2):
        ada.login()
    return "/sessions", "sessions", {}


LISTS = [organizations, members, invitations, own_invitations, api_keys, sessions]


@pytest.mark.parametrize("prepare", LISTS, ids=lambda one: one.__name__)
def test_a_list_comes_by_pages(ada, org, prepare):
    path, name, params = prepare(ada, org)

    whole = ada.get(path, params=params).json()
    first = ada.get(path, params={**params, "limit": 2}).json()
    last = ada.get(path, params={**params, "limit": 2, "offset": 2}).json()

    assert (whole["count"], whole["total"], whole["has_more"]) == (3, 3, False)
    assert (first["count"], first["total"], first["has_more"]) == (2, 3, True)
    assert (last["count"], last["total"], last["has_more"]) == (1, 3, False)
    assert first[name] + last[name] == whole[name]


@pytest.mark.parametrize("prepare", LISTS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 10_001}, {"offset": -1}])
def test_a_page_that_is_none_is_named(ada, org, prepare, params):
    path, _, others = prepare(ada, org)

    answer = ada.get(path, params={**others, **params})

    assert answer.status_code == 400
    assert list(answer.json()["details"]) == list(params)


@pytest.mark.parametrize(
    ("country", "proposed"),
    [
        ("NG", ("Africa/Lagos", "NGN", 7.5)),
        ("KE", ("Africa/Nairobi", "KES", 16)),
        ("CI", ("Africa/Abidjan", "XOF", 18)),
    ],
)
def test_an_organisation_gets_what_its_country_proposes(ada, country, proposed):
    made = ada.found(country=country)["organization"]

    assert (made["timezone"], made["default_currency"], made["vat_rate"]) == proposed
    assert made["available_currencies"] == [proposed[1]]


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({"timezone": "Mars/Olympus"}, {"timezone"}),
        ({"country": "XX", "default_currency": "naira"}, {"country", "default_currency"}),
        ({"vat_rate": 101}, {"vat_rate"}),
        ({"event_ingestion_grace_period_hours": 721}, {"event_ingestion_grace_period_hours"}),
        ({"name": "  "}, {"name"}),
        ({"raw_event_retention_days": 5}, {"raw_event_retention_days"}),
    ],
)
def test_settings_are_checked_alike_under_both_faces(ada, org, sent, fields):
    path = f"/organizations/{org}"
    before = ada.get(path).json()

    by_person = ada.put(path, json=sent)
    patched = ada.patch("/organization", json=sent, params={"org_id": org})

    assert (by_person.status_code, set(by_person.json()["details"])) == (400, fields)
    assert patched.status_code in {404, 405} or patched.json() == by_person.json()
    assert ada.get(path).json() == before
