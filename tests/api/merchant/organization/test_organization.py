"""The organisation's settings, for keys with the scope admin."""

import pytest

from monigo.tenancy import Scope
from support.api import Api


def settings(api):
    return api.get("/v1/organization").json()["organization"]


def test_a_new_organization_has_the_usual_settings(api):
    known = settings(api)

    assert known["id"] == str(api.org_id)
    assert (known["timezone"], known["default_currency"], known["country"]) == ("UTC", "NGN", "NG")
    assert (known["vat_enabled"], known["vat_rate"], known["wht_enabled"]) == (False, 7.5, False)
    assert known["event_ingestion_grace_period_hours"] == 0
    assert known["repeated_trials_enabled"] is False


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Lagos Rides"},
        {"country": "KE"},
        {"timezone": "Africa/Nairobi"},
        {"vat_enabled": True, "vat_rate": 16},
        {"wht_enabled": True, "wht_rate": 0.5},
        {"event_ingestion_grace_period_hours": 720},
        {"repeated_trials_enabled": True},
        {"available_currencies": ["NGN", "KES", "XOF"]},
    ],
)
def test_a_change_touches_only_what_is_sent(api, change):
    before = settings(api)

    response = api.patch("/v1/organization", json=change)

    after = settings(api)
    assert response.json()["organization"] == after
    assert {**after, "updated_at": None} == {**before, **change, "updated_at": None}


def test_the_default_currency_is_always_available(api):
    api.patch("/v1/organization", json={"default_currency": "KES"})

    assert settings(api)["available_currencies"] == ["KES", "NGN"]


def test_both_modes_share_the_settings(api, backend):
    with Api.of(backend, api.org_id, is_test=False) as live:
        live.patch("/v1/organization", json={"name": "One name"})

    assert settings(api)["name"] == "One name"


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_settings_need_the_scope_admin(api, backend, method):
    scopes = [Scope.INGEST, Scope.READ, Scope.WRITE]

    with Api.of(backend, api.org_id, is_test=True, scopes=scopes) as other:
        response = other.http.request(method, "/v1/organization", json={"name": "X"})

    assert (response.status_code, "admin" in response.json()["error"]) == (403, True)
    assert settings(api)["name"] != "X"


def test_all_settings_at_fault_are_named_at_once(api):
    changes = {
        "vat_rate": 200,
        "wht_rate": "100.1",
        "raw_event_retention_days": 1,
        "timezone": "Lagos",
        "default_currency": "XXY",
    }

    answer = api.patch("/v1/organization", json=changes)

    assert answer.status_code == 400
    assert answer.json()["details"].keys() == changes.keys()
