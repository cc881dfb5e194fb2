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


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("status = 'lost'", "customer_mails_status_known"),
        ("status = 'sent'", "customer_mails_settled_has_its_time"),
        ("status = 'not_sent', settled_at = now()", "customer_mails_not_sent_says_why"),
        ("reason = 'bounced'", "customer_mails_not_sent_says_why"),
        ("recipient = ''", "customer_mails_sent_to_somebody"),
        ("send_at = created_at - interval '1 second'", "customer_mails_not_sent_before_made"),
    ],
)
def test_the_database_refuses_a_mail_that_cannot_be(api, change, constraint):
    customer = api.customer("ada")
    api.backend.sql(
        "INSERT INTO customer_mails (org_id, is_test, id, fact_id, customer_id, type, occasion,"
        " status, recipient, created_at, send_at) SELECT org_id, is_test, id, id, id,"
        " 'receipt', '{}', 'sending', 'ada@example.com', now(), now() FROM customers"
        " WHERE id = $1",
        customer["id"],
    )

    with pytest.raises(asyncpg.CheckViolationError, match=constraint):
        api.backend.sql(
            f"UPDATE customer_mails SET {change} WHERE org_id = $1 RETURNING 1", api.org_id
        )


@pytest.mark.parametrize(
    ("address", "reason", "constraint"),
    [
        ("Ada@example.com", "bounced", "mail_suppressions_address_spelled_one_way"),
        ("", "bounced", "mail_suppressions_address_spelled_one_way"),
        ("ada@example.com", "bored", "mail_suppressions_reason_known"),
    ],
)
def test_the_database_refuses_a_suppression_that_cannot_be(api, address, reason, constraint):
    with pytest.raises(asyncpg.CheckViolationError, match=constraint):
        api.backend.sql(
            "INSERT INTO mail_suppressions (org_id, is_test, id, address, reason, created_at)"
            " VALUES ($1, true, gen_random_uuid(), $2, $3, now())",
            api.org_id,
            address,
            reason,
        )
