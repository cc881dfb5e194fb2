"""How a number is connected, and what is shown of it."""

import pytest

from monigo.notifications.whatsapp import PARAMETERS
from monigo.tenancy import MailType
from support.api import Api
from support.whatsapp import (
    APP_SECRET,
    NUMBER_ID,
    VERIFY_TOKEN,
    change,
    connect_whatsapp,
    connection_body,
    register,
    script,
    token_of,
)

CONNECT = "/v1/whatsapp/connect"
SECRETS = (APP_SECRET, VERIFY_TOKEN)


def connection(api):
    return api.get("/v1/whatsapp/connection").json()


def test_a_number_is_connected_once_whatsapp_knows_its_token(api):
    shown = connect_whatsapp(api)

    found = connection(api)
    assert found == {"connected": True, "connection": shown}
    assert shown["status"] == "connected"
    assert (shown["phone_number_id"], shown["phone"]) == (NUMBER_ID, "+234 803 555 0100")
    assert shown["verified_name"] == "Lagos Rides"


def test_nothing_is_connected_at_first(api):
    assert connection(api) == {"connected": False, "connection": None}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"access_token": "EAAgone"}, "access_token"),
        ({"app_secret": "that-of-another-app"}, "app_secret"),
        ({"phone_number_id": "999"}, "phone_number_id"),
    ],
)
def test_what_whatsapp_refuses_is_named_and_kept_nowhere(api, fields, named):
    register(api)

    answer = api.post(CONNECT, json=connection_body(api, **fields))

    assert answer.status_code == 400
    assert [*answer.json()["details"]] == [named]
    assert not connection(api)["connected"]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"phone_number_id": "+234803"}, ["phone_number_id"]),
        ({"business_account_id": ""}, ["business_account_id"]),
        ({"access_token": "two words"}, ["access_token"]),
        ({"access_token": "x" * 1_001}, ["access_token"]),
        ({"app_secret": "line\nend", "verify_token": "short"}, ["app_secret", "verify_token"]),
    ],
)
def test_what_can_be_no_number_is_refused_without_asking(api, fields, named):
    script(api, "500", verb="number")

    answer = api.post(CONNECT, json=connection_body(api, **fields))

    assert answer.status_code == 400
    assert sorted(answer.json()["details"]) == named


@pytest.mark.parametrize("outcome", ["500", "drop_before", "not_json"])
def test_a_number_is_not_connected_while_whatsapp_cant_be_asked(api, outcome):
    register(api)
    script(api, outcome, verb="number")

    answer = api.post(CONNECT, json=connection_body(api))

    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert not connection(api)["connected"]


def test_no_secret_is_shown_or_kept_in_the_clear(api):
    secrets = (*SECRETS, token_of(api))
    headers = {"Idempotency-Key": "connect-1"}
    register(api)

    answers = [api.post(CONNECT, json=connection_body(api), headers=headers) for _ in range(2)]

    shown = [*(answer.text for answer in answers), api.get("/v1/whatsapp/connection").text]
    rows = api.backend.sql(
        "SELECT to_jsonb(c)::text AS row FROM whatsapp_connections AS c WHERE org_id = $1"
        " UNION ALL SELECT to_jsonb(r)::text FROM idempotency_records AS r WHERE org_id = $1"
        " UNION ALL SELECT to_jsonb(a)::text FROM audit_entries AS a WHERE org_id = $1",
        api.org_id,
    )
    everything = "\n".join([*shown, *(row["row"] for row in rows)])
    hidden = "\n".join([*secrets, *(secret.encode().hex() for secret in secrets)]).splitlines()
    assert [secret for secret in hidden if secret in everything] == []
    assert answers[1].headers["idempotent-replayed"] == "true"


def test_the_same_number_gets_another_token(api):
    before = connect_whatsapp(api)
    register(api, secret_key=token_of(api, "new"))

    answer = api.post(CONNECT, json=connection_body(api, access_token=token_of(api, "new")))

    assert answer.status_code == 200
    assert answer.json()["connection"]["id"] == before["id"]


def test_another_number_is_connected_only_after_the_first_one_is_not(api):
    connect_whatsapp(api)
    register(api, secret_key=token_of(api, "b"), public_key="4711")
    other = connection_body(api, phone_number_id="4711", access_token=token_of(api, "b"))

    refused = api.post(CONNECT, json=other)
    api.post("/v1/whatsapp/disconnect")
    taken = api.post(CONNECT, json=other)

    assert (refused.status_code, taken.status_code) == (409, 200)
    assert connection(api)["connection"]["phone_number_id"] == "4711"


def test_what_is_not_connected_cant_be_disconnected(api):
    assert api.post("/v1/whatsapp/disconnect").status_code == 404


def test_disconnecting_forgets_the_secrets(api):
    connect_whatsapp(api)

    answer = api.post("/v1/whatsapp/disconnect")

    rows = api.backend.sql("SELECT 1 FROM whatsapp_connections WHERE org_id = $1", api.org_id)
    assert (answer.status_code, rows) == (200, [])


def test_each_mode_has_a_number_of_its_own(api, backend):
    connect_whatsapp(api)

    with Api.of(backend, api.org_id, is_test=False) as live:
        assert not connection(live)["connected"]


@pytest.mark.parametrize(("method", "path"), [("GET", "qr"), ("POST", "pairing-code")])
def test_what_the_cloud_api_has_not_is_answered_with_the_reason(api, method, path):
    body = {"json": {"phone": "+2348031234567"}} if method == "POST" else {}

    answer = api.http.request(method, f"/v1/whatsapp/{path}", **body)

    assert answer.status_code == 501
    assert "token" in answer.json()["error"]


def test_settings_change_where_they_are_named(api):
    before = api.get("/v1/whatsapp/notification-settings").json()["settings"]

    after = change(api, {"receipt": True, "invoice_finalized": {"languages": ["fr", "en"]}})

    assert [name for name, one in before.items() if one["enabled"]] == []
    assert [name for name, one in after.items() if one["enabled"]] == ["receipt"]
    assert after["invoice_finalized"]["languages"] == ["fr", "en"]
    assert after["receipt"]["template"] == "receipt"
    assert after["receipt"]["parameters"] == ["customer", "organization", "amount", "reference"]
    assert api.get("/v1/whatsapp/notification-settings").json()["settings"] == after


def test_each_notice_says_what_its_template_is_filled_with():
    assert set(PARAMETERS) == set(MailType)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"marketing": True}, ["settings.marketing"]),
        ({"receipt": {"template": "Not A Name"}}, ["settings.receipt.template"]),
        ({"receipt": {"languages": []}}, ["settings.receipt.languages"]),
        ({"receipt": {"languages": ["en", "en"]}}, ["settings.receipt.languages"]),
        (
            {"receipt": {"languages": ["english"]}, "payout_sent": {"template": ""}},
            ["settings.payout_sent.template", "settings.receipt.languages"],
        ),
    ],
)
def test_settings_that_are_none_are_refused_by_their_field(api, settings, named):
    before = api.get("/v1/whatsapp/notification-settings").json()

    answer = api.put("/v1/whatsapp/notification-settings", json={"settings": settings})

    assert answer.status_code == 400
    assert sorted(answer.json()["details"]) == named
    assert api.get("/v1/whatsapp/notification-settings").json() == before
