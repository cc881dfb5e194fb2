"""Notices that go by WhatsApp: what is said, what becomes of them, and when a mail goes instead."""

import pytest

from support.whatsapp import (
    DIGITS,
    change,
    deliver,
    log,
    logs,
    look_for_confirmations,
    mails,
    nobody_listening,
    notice,
    register,
    report,
    script,
    send_messages,
    status_of,
    taken,
    wait_for_status,
)

INVOICE = "invoice_finalized"
UNDELIVERABLE = {"errors": [{"code": 131026, "title": "Message undeliverable"}]}


def test_a_notice_goes_by_the_merchants_template(api, shop):
    script(api, "pending")
    change(api, {INVOICE: {"template": "your_invoice", "languages": ["en", "fr"]}})
    invoice = shop.owe(25)

    notice(api)

    (message,) = taken(api)
    organization = api.get("/v1/organization").json()["organization"]["name"]
    assert (message["to"], message["template"], message["language"]) == (
        DIGITS,
        "your_invoice",
        "en",
    )
    assert message["parameters"][:4] == ["Ada Obi", organization, invoice["number"], "₦2,500.00"]
    assert len(message["parameters"]) == 5
    sent = log(api)
    assert (sent["status"], sent["type"], sent["attempts"]) == ("accepted", INVOICE, 1)
    assert sent["parameters"] == message["parameters"]
    assert sent["whatsapp_message_id"] == message["id"]


def test_a_notice_is_in_the_customers_language_where_the_template_has_it(api, shop):
    script(api, "pending")
    change(api, {INVOICE: {"languages": ["en", "fr"]}})
    api.put("/v1/customers/ada", json={"locale": "fr-SN"})
    shop.owe(25)

    notice(api)

    (message,) = taken(api)
    assert message["language"] == "fr"
    assert "2 500,00" in message["parameters"][3].replace("\u202f", " ").replace("\xa0", " ")


def test_a_notice_that_goes_by_whatsapp_is_not_mailed_too(api, shop):
    shop.owe()

    notice(api)

    assert mails(api) == []


def test_a_fact_that_comes_again_makes_no_other_message(api, shop):
    script(api, "pending")
    shop.owe()
    deliver(api)
    api.backend.sql(
        "INSERT INTO outbox_deliveries (org_id, is_test, subscriber, subject_id, position, runs_at,"
        " attempts, reason) SELECT org_id, is_test, 'customer mails', subject_id, position,"
        " '2020-01-01', 0, '' FROM outbox_facts WHERE org_id = $1 AND type = 'InvoiceFinalized'",
        api.org_id,
    )

    notice(api)
    notice(api)

    assert (len(taken(api)), mails(api)) == (1, [])


@pytest.mark.parametrize(
    "change_of",
    [
        {"phone": ""},
        {"phone": "ask Chidi"},
        {"phone": "+999 12"},
    ],
)
def test_customers_whom_whatsapp_cant_reach_get_mails(api, shop, change_of):
    api.put("/v1/customers/ada", json=change_of)
    shop.owe()

    notice(api)

    assert (logs(api), mails(api)) == ([], [INVOICE])


def test_a_notice_that_is_not_enabled_goes_by_mail(api, shop):
    api.patch("/v1/organization", json={"customer_mails": [INVOICE]})
    change(api, {INVOICE: False})
    shop.owe()

    notice(api)

    assert (logs(api), mails(api)) == ([], [INVOICE])


def test_a_phone_is_read_in_the_organisations_country(api, shop):
    api.patch("/v1/organization", json={"country": "NG"})
    api.put("/v1/customers/ada", json={"phone": "0803 123 4567"})
    script(api, "pending")
    shop.owe()

    notice(api)

    assert [one["to"] for one in taken(api)] == [DIGITS]


def test_what_was_settled_before_it_was_sent_is_not_sent(api, shop):
    invoice = shop.owe()
    deliver(api)
    api.post(f"/v1/invoices/{invoice['id']}/void")

    send_messages(api)

    assert taken(api) == []
    assert (log(api)["status"], log(api)["error_message"]) == ("failed", "withdrawn")


@pytest.mark.parametrize("outcome", ["drop_after_commit", "500", "not_json"])
def test_what_was_not_answered_is_never_sent_again(api, shop, outcome):
    script(api, outcome)
    shop.owe()
    notice(api)

    states = []
    for _ in range(4):
        states.append((log(api)["status"], len(taken(api)), mails(api)))
        api.backend.clock.advance(minutes=11)
        send_messages(api)
        look_for_confirmations(api)

    assert states[0] == ("unknown", 1, [])
    assert states[1:] == [("unknown", 1, [INVOICE])] * 3


def test_what_was_not_answered_and_is_reported_needs_no_mail(api, shop):
    script(api, "drop_after_commit")
    shop.owe()
    notice(api)
    report(api, status_of(log(api), "delivered"))

    api.backend.clock.advance(minutes=11)
    look_for_confirmations(api)

    assert (log(api)["status"], mails(api)) == ("delivered", [])


def test_what_never_left_is_sent_again(api, shop):
    script(api, "pending")
    shop.owe()
    deliver(api)
    with nobody_listening(api):
        send_messages(api)
    before = log(api)

    api.backend.clock.advance(minutes=1)
    send_messages(api)

    assert (before["status"], before["attempts"]) == ("waiting", 1)
    assert (log(api)["status"], log(api)["attempts"], len(taken(api))) == ("accepted", 2, 1)


@pytest.mark.parametrize("code", ["429", "130429", "131000", "131056"])
def test_what_whatsapp_cant_take_now_is_sent_again_later(api, shop, code):
    script(api, code)
    script(api, "pending")
    shop.owe()
    notice(api)
    before = (log(api)["status"], len(taken(api)))

    api.backend.clock.advance(minutes=6)
    send_messages(api)

    assert before == ("waiting", 0)
    assert (log(api)["status"], len(taken(api)), mails(api)) == ("accepted", 1, [])


def test_tries_end_and_a_mail_goes_out(api, shop):
    script(api, "130429", times=100)
    shop.owe()
    notice(api)

    for _ in range(10):
        api.backend.clock.advance(hours=2, minutes=1)
        send_messages(api)

    assert (log(api)["status"], log(api)["attempts"]) == ("failed", 6)
    assert (log(api)["error_code"], taken(api), mails(api)) == (130429, [], [INVOICE])


@pytest.mark.parametrize("code", ["131026", "131049", "132001"])
def test_what_whatsapp_refuses_for_good_goes_by_mail(api, shop, code):
    script(api, code)
    shop.owe()

    notice(api)

    assert (log(api)["status"], log(api)["error_code"]) == ("failed", int(code))
    assert (taken(api), mails(api)) == ([], [INVOICE])
    assert log(api)["fell_back_at"]


@pytest.mark.parametrize("code", ["190", "131042"])
def test_a_connection_that_must_be_mended_says_so(api, shop, code):
    script(api, code)
    shop.owe()

    notice(api)

    shown = api.get("/v1/whatsapp/connection").json()["connection"]
    assert shown["status"] == "failing"
    assert shown["last_error"]
    assert mails(api) == [INVOICE]


def test_a_connection_that_works_again_is_not_failing_any_more(api, shop):
    script(api, "190")
    shop.owe()
    notice(api)
    script(api, "pending")
    shop.owe()

    notice(api)

    assert api.get("/v1/whatsapp/connection").json()["connection"]["status"] == "connected"


def test_what_is_disconnected_meanwhile_goes_by_mail(api, shop):
    shop.owe()
    deliver(api)
    api.post("/v1/whatsapp/disconnect")

    send_messages(api)

    assert (log(api)["error_message"], mails(api)) == ("not_connected", [INVOICE])


def test_what_whatsapp_reports_as_failed_goes_by_mail_once(api, shop):
    script(api, "pending")
    shop.owe()
    notice(api)
    failed = status_of(log(api), "failed", **UNDELIVERABLE)

    for _ in range(2):
        report(api, failed)

    assert (log(api)["status"], log(api)["error_code"]) == ("failed", 131026)
    assert log(api)["error_message"] == "Message undeliverable"
    assert mails(api) == [INVOICE]


def test_what_nobody_reports_for_a_day_goes_by_mail(api, shop):
    script(api, "pending")
    shop.owe()
    notice(api)
    api.backend.clock.advance(hours=23)
    look_for_confirmations(api)
    before = mails(api)

    api.backend.clock.advance(hours=2)
    look_for_confirmations(api)

    assert (before, mails(api)) == ([], [INVOICE])
    assert log(api)["status"] == "accepted"


def test_a_customer_gets_ten_messages_in_an_hour_and_then_mails(api, shop):
    script(api, "pending", times=20)
    for _ in range(12):
        shop.owe()

    notice(api)

    assert len(taken(api)) == 10
    assert mails(api) == [INVOICE] * 2


def test_whatsapps_own_reports_reach_the_log(api, shop):
    register(api, webhook_url=f"{api.backend.url}/webhooks/whatsapp/{api.org_id}")
    shop.owe()

    notice(api)

    wait_for_status(api, "delivered")
    found = log(api)
    assert found["sent_at"]
    assert found["delivered_at"]
    assert api.get("/v1/whatsapp/connection").json()["connection"]["webhook_last_at"]


def test_a_report_that_comes_before_the_answer_is_kept(api, shop):
    register(api, webhook_url=f"{api.backend.url}/webhooks/whatsapp/{api.org_id}")
    script(api, "drop_after_commit")
    shop.owe()
    notice(api)

    wait_for_status(api, "delivered")

    assert log(api)["whatsapp_message_id"]
    assert mails(api) == []


@pytest.mark.usefixtures("shop")
def test_a_test_message_shows_whether_messages_arrive(api):
    script(api, "pending")

    answer = api.post("/v1/whatsapp/test", json={"customer_id": "ada"})

    (message,) = taken(api)
    assert answer.status_code == 200
    assert answer.json()["message_log"] == log(api)
    assert (message["template"], message["language"]) == ("hello_world", "en_US")


@pytest.mark.usefixtures("shop")
def test_a_test_message_is_sent_once_however_often_it_is_asked_for(api):
    script(api, "pending", times=2)
    headers = {"Idempotency-Key": "test-1"}

    for _ in range(2):
        api.post("/v1/whatsapp/test", json={"customer_id": "ada"}, headers=headers)
    api.backend.clock.advance(minutes=3)
    send_messages(api)

    assert len(taken(api)) == 1


@pytest.mark.parametrize(("outcome", "status"), [("131026", 400), ("190", 400)])
@pytest.mark.usefixtures("shop")
def test_a_test_message_that_is_refused_says_why(api, outcome, status):
    script(api, outcome)

    answer = api.post("/v1/whatsapp/test", json={"customer_id": "ada"})

    assert (answer.status_code, [*answer.json()["details"]]) == (status, ["customer_id"])
    assert (log(api)["status"], mails(api)) == ("failed", [])


@pytest.mark.usefixtures("shop")
def test_a_test_message_that_never_left_is_answered_by_503(api):
    with nobody_listening(api):
        answer = api.post("/v1/whatsapp/test", json={"customer_id": "ada"})

    assert answer.status_code == 503


@pytest.mark.usefixtures("shop")
def test_no_test_message_goes_to_nobody(api):
    api.customer("bola", name="Bola")

    unknown = api.post("/v1/whatsapp/test", json={"customer_id": "nobody"})
    without_phone = api.post("/v1/whatsapp/test", json={"customer_id": "bola"})
    api.post("/v1/whatsapp/disconnect")
    unconnected = api.post("/v1/whatsapp/test", json={"customer_id": "ada"})

    answers = [one.status_code for one in (unknown, without_phone, unconnected)]
    assert answers == [404, 400, 404]
    assert logs(api) == []
