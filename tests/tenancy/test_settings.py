"""Settings are written once, in a group: from there each comes into the store and the API."""

from decimal import Decimal

import asyncpg
import pytest
from msgspec import ValidationError, structs

from monigo import tenancy
from monigo.infra import json
from monigo.tenancy.settings import (
    GROUPS,
    SETTINGS,
    read_access,
    read_billing,
    read_collection,
    read_limits,
    read_mails,
    read_payouts,
    read_retention,
)
from support.verification import faults

# What a setting of a kind may be changed to, and what of it no setting takes.
OTHER = {bool: True, Decimal: 12.25, int: 123}
TEXTS = {
    "timezone": "Africa/Nairobi",
    "default_currency": "KES",
    # The other one is an owner's to choose.
    "payout_mode": "approval",
    "test_payout_mode": "automatic",
    "mail_sender_name": "Rides",
    "mail_reply_to": "billing@example.com",
    "mail_test_recipient": "developer@example.com",
    "default_locale": "fr-SN",
}
LISTS = {"available_currencies": ["NGN", "KES"], "customer_mails": ["receipt", "balance_low"]}
READ = {
    "billing": read_billing,
    "retention": read_retention,
    "limits": read_limits,
    "access": read_access,
    "collection": read_collection,
    "payouts": read_payouts,
    "mails": read_mails,
}


def changed(setting):
    if setting.is_amount:
        return "12.250000"
    if setting.item is int:
        return [0, 5, 365]
    return {**TEXTS, **LISTS}.get(setting.name) or OTHER[setting.kind]


def shown(api):
    return api.get("/v1/organization").json()["organization"]


def stored(backend, api, group):
    (row,) = backend.sql(
        f"SELECT {group} AS found FROM organizations WHERE org_id = $1", api.org_id
    )
    return json.decode(row["found"])


def test_every_field_of_every_group_is_a_setting_and_no_name_is_used_twice():
    fields = [field.name for group in GROUPS.values() for field in structs.fields(group)]

    assert fields == list(SETTINGS)


def test_a_new_organization_has_what_the_groups_say(api):
    async def load():
        async with api.backend.services.database.transaction(api.tenant) as tx:
            return await tenancy.get_organization(tx)

    known = api.backend.run(load())

    assert {name: getattr(known, name) for name in GROUPS} == {
        name: group() for name, group in GROUPS.items()
    }


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_goes_through_the_api_into_the_store_and_back(api, backend, name):
    setting = SETTINGS[name]
    value, before = changed(setting), shown(api)

    answer = api.patch("/v1/organization", json={name: value})

    assert answer.status_code == 200, answer.text
    assert shown(api)[name] == value
    # Stored as a number, exactly.
    kept = Decimal(value) if setting.is_amount else value
    assert json.exact_floats(stored(backend, api, setting.group)[name]) == kept
    group = READ[setting.group](json.encode(stored(backend, api, setting.group)))
    assert json.exact_floats(json.decode(json.encode(group))[name]) == kept
    untouched = SETTINGS.keys() - {name, "available_currencies"}
    assert {key: before[key] for key in untouched} == {key: shown(api)[key] for key in untouched}


@pytest.mark.parametrize("name", [one.name for one in SETTINGS.values() if one.is_optional])
def test_none_is_a_value_of_its_own_where_it_is_one(api, name):
    api.patch("/v1/organization", json={name: 123})

    api.patch("/v1/organization", json={name: None})

    assert shown(api)[name] is None


@pytest.mark.parametrize("name", [one.name for one in SETTINGS.values() if not one.is_optional])
def test_null_is_not_sent_where_it_is_no_value(api, name):
    before = shown(api)[name]

    api.patch("/v1/organization", json={name: None})

    assert shown(api)[name] == before


@pytest.mark.parametrize(
    "name",
    # Amounts may be sent as texts, of which no schema tells the least and the most.
    [one.name for one in SETTINGS.values() if one.most is not None and not one.is_amount],
)
def test_the_documented_bounds_are_those_of_the_group(api, name):
    setting = SETTINGS[name]
    schema = api.get("/openapi.json").json()["components"]["schemas"]["OrganizationIn"]
    (told,) = (one for one in schema["properties"][name]["anyOf"] if one["type"] != "null")

    assert (told["minimum"], told["maximum"]) == (setting.least, setting.most)
    for value in (setting.least - 1, setting.most + 1):
        refused = api.patch("/v1/organization", json={name: value})
        assert (refused.status_code, list(refused.json()["details"])) == (400, [name])


@pytest.mark.parametrize("days", [[3, 1], [1, 1], [-1], [366], list(range(21))])
def test_a_list_of_days_ascends_within_a_year(api, days):
    refused = api.patch("/v1/organization", json={"dunning_days": days})

    assert (refused.status_code, list(refused.json()["details"])) == (400, ["dunning_days"])


def test_a_setting_that_is_not_stored_yet_has_its_usual_value(api, backend):
    backend.sql(
        "UPDATE organizations SET billing = billing - 'repeated_trials_enabled',"
        " limits = '{}' WHERE org_id = $1",
        api.org_id,
    )

    assert shown(api)["repeated_trials_enabled"] is False
    assert shown(api)["monthly_event_quota"] is None


@pytest.mark.parametrize(
    ("group", "text"),
    [
        ("billing", '{"vat_enabled": "yes"}'),
        ("billing", '{"event_ingestion_grace_period_hours": 721}'),
        ("retention", '{"raw_event_retention_days": 99}'),
        ("limits", '{"requests_per_second_max": 0}'),
        ("limits", "[]"),
        ("access", '{"require_second_factor": 1}'),
        ("collection", '{"dunning_days": [1, "3"]}'),
    ],
)
def test_what_is_no_such_group_is_not_read(group, text):
    with pytest.raises(ValidationError):
        READ[group](text)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("billing = '[]'", "organizations_billing_is_an_object"),
        ("retention = '1'", "organizations_retention_is_an_object"),
        ("limits = 'null'", "organizations_limits_is_an_object"),
        ("access = '0'", "organizations_access_is_an_object"),
        ("collection = '2'", "organizations_collection_is_an_object"),
        ("billing = billing || '{\"vat_rate\": 101}'", "organizations_vat_rate_is_a_percentage"),
        ("billing = billing || '{\"wht_rate\": -1}'", "organizations_wht_rate_is_a_percentage"),
        (
            "billing = billing || '{\"event_ingestion_grace_period_hours\": 721}'",
            "organizations_grace_period_in_bounds",
        ),
        (
            'billing = billing || \'{"default_currency": "KES"}\'',
            "organizations_default_currency_available",
        ),
        (
            "retention = '{\"raw_event_retention_days\": 99}'",
            "organizations_raw_event_retention_in_bounds",
        ),
        ("limits = '{\"requests_per_second_max\": 0}'", "organizations_request_rate_in_bounds"),
        ("limits = '{\"monthly_event_quota\": -1}'", "organizations_event_quota_not_negative"),
        (
            "limits = '{\"member_credit_limit\": -1}'",
            "organizations_member_credit_limit_in_bounds",
        ),
    ],
)
def test_the_database_keeps_the_bounds(api, backend, change, constraint):
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        backend.sql(
            f"UPDATE organizations SET {change} WHERE org_id = $1", api.org_id, as_app=api.tenant
        )

    assert refused.value.constraint_name == constraint


def test_verify_tells_of_settings_that_can_not_be_read(api, backend):
    assert faults(backend, api.tenant) == []

    backend.sql(
        "UPDATE organizations SET billing = billing || '{\"timezone\": 7}' WHERE org_id = $1",
        api.org_id,
    )

    (found,) = faults(backend, api.tenant)
    assert found[:2] == ("settings of an organization", "billing")
