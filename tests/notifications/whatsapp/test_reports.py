"""What webhooks of WhatsApp report: who is believed, in which order, and who wants no messages."""

import httpx
import pytest

from support.api import Api
from support.waiting import wait_until
from support.whatsapp import (
    DIGITS,
    NOW,
    VERIFY_TOKEN,
    connect_whatsapp,
    hook_body,
    hook_url,
    log,
    logs,
    mails,
    notice,
    register,
    report,
    script,
    send_hook,
    signature,
    status_of,
    taken,
    text_of,
    token_of,
    wishes,
)

INVOICE = "invoice_finalized"
FAILED = {"errors": [{"code": 131026, "title": "Message undeliverable"}]}


@pytest.fixture
def message(api, shop):
    """A message that WhatsApp took, and has not reported."""
    script(api, "pending")
    shop.owe()
    notice(api)
    return log(api)


@pytest.mark.parametrize(
    ("reported", "stands"),
    [
        (["sent"], "sent"),
        (["sent", "delivered", "read"], "read"),
        (["read", "delivered", "sent"], "read"),
        (["delivered", "delivered"], "delivered"),
        (["delivered", "sent"], "delivered"),
        (["failed"], "failed"),
        (["sent", "failed"], "failed"),
        (["failed", "sent"], "failed"),
        (["delivered", "failed"], "delivered"),
        (["failed", "delivered"], "delivered"),
    ],
)
def test_the_report_that_says_most_stands_in_whatever_order_they_come(
    api, message, reported, stands
):
    for number, status in enumerate(reported):
        more = FAILED if status == "failed" else {}
        report(api, status_of(message, status, at=NOW + number, **more))

    found = log(api)
    assert found["status"] == stands
    assert all(found[f"{status}_at"] for status in {*reported} - {"failed"})


def test_reports_come_many_at_once(api, message):
    statuses = [status_of(message, one) for one in ("read", "sent", "delivered")]

    report(api, *statuses)

    assert log(api)["status"] == "read"


def test_a_message_is_known_by_whatsapps_id_too(api, message):
    report(api, status_of(message, "delivered", biz_opaque_callback_data=""))

    assert log(api)["status"] == "delivered"


def test_reports_of_what_is_not_known_here_change_nothing(api, message):
    unknown = {**message, "id": "0190d5d0-0000-7000-8000-000000000000", "whatsapp_message_id": ""}

    report(api, status_of(unknown, "delivered"), status_of({**unknown, "id": "x"}, "read"))

    assert log(api) == message


def test_reports_of_another_number_change_nothing(api, message):
    raw = hook_body(statuses=[status_of(message, "delivered")], number_id="4711")

    answer = send_hook(api, raw)

    assert (answer.status_code, log(api)) == (200, message)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"not json",
        b'{"entry": 1}',
        b'{"entry": [{"changes": [{"field": "messages", "value": []}]}]}',
        b'{"object": "whatsapp_business_account", "entry": [{"changes": [{"field": "x"}]}]}',
        hook_body(statuses=[{"id": 1}, None, {"id": "w", "status": "new", "timestamp": "1"}]),
        hook_body(statuses=[{"id": "w", "status": "sent", "timestamp": "99999999999999"}]),
        hook_body(messages=[{"from": "me", "text": {"body": "STOP"}, "timestamp": "1"}, 4]),
    ],
)
def test_what_is_no_report_is_taken_and_changes_nothing(api, message, raw):
    answer = send_hook(api, raw)

    assert (answer.status_code, log(api)) == (200, message)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-hub-signature-256": "sha256="},
        {"x-hub-signature-256": f"sha256={'0' * 64}"},
        {"x-hub-signature-256": "é".encode()},
    ],
)
def test_who_does_not_sign_is_refused(api, message, headers):
    raw = hook_body(statuses=[status_of(message, "read")])

    answer = send_hook(api, raw, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (403, "invalid_signature")
    assert log(api) == message


def test_who_signs_by_another_secret_is_refused(api, message):
    raw = hook_body(statuses=[status_of(message, "read")])

    answer = send_hook(api, raw, secret="another-app")

    assert (answer.status_code, log(api)) == (403, message)


def test_a_byte_more_than_was_signed_is_refused(api, message):
    raw = hook_body(statuses=[status_of(message, "read")])

    answer = send_hook(api, raw + b" ", headers={"x-hub-signature-256": signature(raw)})

    assert (answer.status_code, log(api)) == (403, message)


def test_another_organisation_reports_nothing_of_this_ones_messages(api, backend, message):
    with Api.of_new_organization(backend) as other:
        connect_whatsapp(other)
        report(other, status_of(message, "read"))

    assert log(api) == message


@pytest.mark.parametrize("path", ["", "/00000000-0000-7000-8000-000000000000"])
def test_nobodys_address_answers_as_one_without_a_signature(api, path):
    url = f"{api.backend.url}/webhooks/whatsapp{path}"

    statuses = {httpx.post(url, content=b"{}").status_code, httpx.get(url).status_code}

    assert statuses <= {403, 404}


def test_meta_may_ask_whether_the_address_is_right(api):
    connect_whatsapp(api)
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444"}

    right = httpx.get(hook_url(api), params={**asked, "hub.verify_token": VERIFY_TOKEN})
    wrong = httpx.get(hook_url(api), params={**asked, "hub.verify_token": "another-word"})
    markup = {**asked, "hub.challenge": "<b>", "hub.verify_token": VERIFY_TOKEN}

    assert (right.status_code, right.text) == (200, "1158201444")
    assert right.headers["content-type"].startswith("text/plain")
    assert (wrong.status_code, wrong.json()["code"]) == (403, "invalid_verify_token")
    assert httpx.get(hook_url(api), params=markup).status_code == 403


def test_other_methods_are_not_allowed(api):
    answer = httpx.put(hook_url(api))

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize("word", ["STOP", " stop. ", "Arrêt", "Unsubscribe", "إيقاف"])
def test_who_writes_stop_gets_mails_from_then_on(api, shop, word):
    report(api, messages=[text_of(word)])
    shop.owe()

    notice(api)

    assert (logs(api), mails(api)) == ([], [INVOICE])


def test_a_button_says_stop_as_well(api, shop):
    pressed = {"from": DIGITS, "timestamp": str(NOW), "button": {"text": "Stop"}}
    report(api, messages=[pressed])
    shop.owe()

    notice(api)

    assert logs(api) == []


@pytest.mark.parametrize(
    ("said", "gets"),
    [
        ([("stop", 1), ("start", 2)], 1),
        ([("start", 2), ("stop", 1)], 1),
        ([("start", 1), ("stop", 2)], 0),
        ([("stop", 2), ("start", 1)], 0),
        ([("stop", 1), ("start", 1)], 0),
        ([("start", 1), ("stop", 1)], 0),
        ([("when will the bus stop?", 1)], 1),
    ],
)
def test_the_last_wish_counts_in_whatever_order_texts_come(api, shop, said, gets):
    script(api, "pending")
    for word, after in said:
        report(api, messages=[text_of(word, at=NOW + after)])
    shop.owe()

    notice(api)

    assert len(taken(api)) == gets


def test_who_stops_before_a_message_is_sent_does_not_get_it(api, shop):
    script(api, "130429")
    shop.owe()
    notice(api)
    report(api, messages=[text_of("STOP")])

    api.backend.clock.advance(minutes=1)
    notice(api)

    assert (log(api)["error_message"], taken(api), mails(api)) == ("opted_out", [], [INVOICE])


def test_no_test_message_goes_to_who_wrote_stop(api, shop):
    del shop
    report(api, messages=[text_of("STOP")])

    answer = api.post("/v1/whatsapp/test", json={"customer_id": "ada"})

    assert (answer.status_code, logs(api)) == (400, [])


def test_what_people_write_to_whatsapp_reaches_us(api, shop):
    register(api, webhook_url=hook_url(api))
    api.backend.simulated.control("write", secret_key=token_of(api), phone=DIGITS, text="STOP")

    wait_until(lambda: wishes(api))
    shop.owe()
    notice(api)

    assert mails(api) == [INVOICE]
