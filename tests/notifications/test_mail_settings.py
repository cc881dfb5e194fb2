"""Which mails go to customers is the organisation's to say; bad settings are refused by name."""

import asyncpg
import pytest


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"customer_mails": ["receipt", "greeting"]}, "customer_mails[1]"),
        ({"customer_mails": ["receipt"] * 8}, "customer_mails"),
        ({"mail_reply_to": "nobody"}, "mail_reply_to"),
        ({"mail_reply_to": "a@example.com, b@example.com"}, "mail_reply_to"),
        ({"mail_test_recipient": "a@example.com\r\nBcc: b@example.com"}, "mail_test_recipient"),
        ({"mail_sender_name": "Rides\r\nBcc: b@example.com"}, "mail_sender_name"),
        ({"mail_sender_name": "x" * 101}, "mail_sender_name"),
        ({"default_locale": ""}, "default_locale"),
        ({"default_locale": "english"}, "default_locale"),
    ],
)
def test_a_bad_setting_is_refused_by_its_name(api, settings, field):
    before = api.get("/v1/organization").json()

    refused = api.patch("/v1/organization", json=settings)

    assert (refused.status_code, list(refused.json()["details"])) == (400, [field])
    assert api.get("/v1/organization").json() == before


def test_settings_are_kept_in_one_form(api):
    sent = {
        "customer_mails": ["receipt", "invoice_finalized", "receipt"],
        "mail_sender_name": " Rides ",
        "mail_reply_to": " Billing@Example.com",
    }

    kept = api.patch("/v1/organization", json=sent).json()["organization"]

    assert kept["customer_mails"] == ["invoice_finalized", "receipt"]
    assert (kept["mail_sender_name"], kept["mail_reply_to"]) == ("Rides", "billing@example.com")


@pytest.mark.parametrize("locale", ["french", "EN", "fr_SN", "x" * 200])
@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("PUT", "/ada")])
def test_a_customers_locale_is_a_language(api, locale, method, path):
    api.customer("ada", locale="sw-KE")

    refused = api.http.request(
        method, f"/v1/customers{path}", json={"external_id": "ada", "locale": locale}
    )

    assert (refused.status_code, list(refused.json()["details"])) == (400, ["locale"])
    assert api.get("/v1/customers/ada").json()["customer"]["locale"] == "sw-KE"


def test_a_customers_locale_can_be_taken_back(api):
    api.customer("ada", locale="fr")

    changed = api.put("/v1/customers/ada", json={"locale": ""}).json()["customer"]

    assert changed["locale"] == ""


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE customers SET locale = 'French'", "customers_locale_is_a_tag"),
        ("UPDATE organizations SET mails = '[]'", "organizations_mails_is_an_object"),
    ],
)
def test_the_database_refuses_what_is_no_such_setting(api, statement, constraint):
    api.customer("ada")

    with pytest.raises(asyncpg.CheckViolationError, match=constraint):
        api.backend.sql(f"{statement} WHERE org_id = $1 RETURNING 1", api.org_id)
