"""Webhooks over HTTP: signed ones are stored once and answered; of others nothing is left."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from monigo.infra.metrics import PROVIDER_EVENTS
from monigo.payments.events.service import APPLY, FORWARD
from support.api import Api
from support.payments import PROVIDERS, connect, keys_of
from support.webhooks import (
    HEADERS,
    due,
    events_of,
    paid,
    secret_of,
    send,
    signature,
    states_of,
    work_off,
)

COUNT = "SELECT count(*) AS n FROM provider_events WHERE org_id = $1"


@pytest.fixture
def shop(api):
    """An organisation that is connected to Paystack, and the secret of its webhooks."""
    connect(api)
    return api, secret_of(keys_of("paystack", api.org_id))


def stored(api):
    (row,) = api.backend.sql(COUNT, api.org_id)
    return row["n"]


def counted(provider, verdict):
    (family,) = PROVIDER_EVENTS.collect()
    summary = {"provider": provider, "verdict": verdict}
    return sum(
        one.value for one in family.samples if one.labels == summary and one.name.endswith("_total")
    )


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_signed_webhook_is_stored_and_anybody_elses_only_counted(api, provider):
    connection = connect(api, provider)
    secret = secret_of(keys_of(provider, api.org_id))
    raw = paid(provider, "shop-1")
    refused = counted(provider, "refused")

    wrong = send(api, provider, raw, "another secret")
    missing = send(api, provider, raw, secret, headers={})
    none_stored = stored(api)
    right = send(api, provider, raw, secret)

    assert [one.status_code for one in (wrong, missing, right)] == [403, 403, 200]
    assert wrong.json() == missing.json()
    assert none_stored == 0
    assert counted(provider, "refused") == refused + 2
    (event,) = events_of(api)
    assert (event["connection_id"], event["status"]) == (connection["id"], "received")
    listed = api.get(f"/v1/payment-connections/{connection['id']}/events").json()["events"]
    assert listed == [event]


def test_who_cannot_sign_learns_nothing(shop):
    api, secret = shop
    raw = paid("paystack", "shop-1")

    with Api.of_new_organization(api.backend) as other:
        answers = [
            send(api, "paystack", raw, "wrong"),
            send(api, "paystack", raw, secret, org_id=other.org_id),
            send(api, "paystack", raw, secret, org_id=uuid4()),
            send(api, "monnify", raw, secret),
        ]

    assert {(one.status_code, one.text) for one in answers} == {(403, answers[0].text)}
    assert stored(api) == 0


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/webhooks/stripe/{}", 404),
        ("POST", "/webhooks/paystack/nobody", 404),
        ("GET", "/webhooks/paystack/{}", 405),
    ],
)
def test_what_is_no_address_of_a_webhook(shop, method, path, status):
    api, _ = shop

    answer = httpx.request(method, api.backend.url + path.format(api.org_id), content=b"{}")

    assert answer.status_code == status


def test_a_body_above_a_mebibyte_is_refused(shop):
    api, secret = shop
    largest = paid("paystack", "shop-1").ljust(1024 * 1024)

    answers = [send(api, "paystack", raw, secret) for raw in (largest, largest + b" ")]

    assert [one.status_code for one in answers] == [200, 413]
    assert stored(api) == 1


def test_an_event_that_comes_twenty_times_at_once_is_stored_once(shop):
    api, secret = shop
    raw = paid("paystack", "shop-1")

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: send(api, "paystack", raw, secret), range(20)))

    assert {one.status_code for one in answers} == {200}
    assert stored(api) == 1
    assert due(api, APPLY) == 1


def test_a_repeat_of_an_event_that_was_worked_off_has_no_effect(shop):
    api, secret = shop
    raw = paid("paystack", "shop-1")
    send(api, "paystack", raw, secret)
    work_off(api)
    before = events_of(api)

    again = send(api, "paystack", raw, secret)
    work_off(api)

    assert again.status_code == 200
    assert events_of(api) == before


def test_a_replaced_secret_verifies_for_three_days(api):
    connection = connect(api, "flutterwave")
    old = secret_of(keys_of("flutterwave", api.org_id))
    body = {"webhook_signing_secret": "new-hash"}
    changed = api.put(f"/v1/payment-connections/{connection['id']}", json=body)
    assert changed.status_code == 200, changed.text

    first = [
        send(api, "flutterwave", paid("flutterwave", "shop-1", number=1), old).status_code,
        send(api, "flutterwave", paid("flutterwave", "shop-1", number=2), "new-hash").status_code,
    ]
    api.backend.clock.advance(hours=73)
    later = [
        send(api, "flutterwave", paid("flutterwave", "shop-1", number=3), old).status_code,
        send(api, "flutterwave", paid("flutterwave", "shop-1", number=4), "new-hash").status_code,
    ]

    assert (first, later) == ([200, 200], [403, 200])


def test_strange_bodies_are_stored_and_of_no_concern(shop):
    api, secret = shop
    bodies = [
        b"",
        b"\xff\x00",
        b"[" * 10_000,
        b'{"event":"subscription.create","data":{}}',
        b'{"event":"charge.success","data":null}',
        b'{"event":"charge.success","data":{"reference":"a\\u0000b\\ud800","status":"success"}}',
    ]

    answers = [send(api, "paystack", raw, secret).status_code for raw in bodies]
    work_off(api)

    assert answers == [200] * len(bodies)
    assert states_of(api) == ["foreign"] * len(bodies)


def test_an_event_is_of_the_mode_whose_secret_verifies_it(shop):
    api, secret = shop
    live = Api.of(api.backend, api.org_id, is_test=False)

    send(api, "paystack", paid("paystack", "shop-1"), secret)

    with live:
        assert (len(events_of(api)), events_of(live)) == (1, [])


def test_too_many_webhooks_at_once_come_again_later(shop, monkeypatch):
    api, secret = shop
    monkeypatch.setattr("monigo.api.hooks.rates.PER_SECOND_MAX", 1)

    answers = [
        send(api, "paystack", paid("paystack", "shop-1", number=one), secret) for one in range(3)
    ]

    assert answers[0].status_code == 200
    assert {one.status_code for one in answers[1:]} <= {200, 429}
    assert any(one.headers.get("retry-after") for one in answers[1:])


def test_what_is_stored_is_encrypted(shop):
    api, secret = shop
    raw = paid("paystack", "shop-1").replace(b'"domain"', b'"authorization_code"')

    send(api, "paystack", raw, secret)

    (row,) = api.backend.sql("SELECT * FROM provider_events WHERE org_id = $1", api.org_id)
    assert b"authorization_code" not in bytes(row["letter_ciphertext"])
    assert signature("paystack", secret, raw).encode() not in bytes(row["letter_ciphertext"])


def test_webhooks_are_answered_in_milliseconds(shop, record_property):
    api, secret = shop
    took = []
    with httpx.Client(timeout=60) as client:
        for number in range(200):
            raw = paid("paystack", "shop-1", number=number)
            headers = {HEADERS["paystack"]: signature("paystack", secret, raw)}
            began = time.perf_counter()
            answer = client.post(
                f"{api.backend.url}/webhooks/paystack/{api.org_id}", content=raw, headers=headers
            )
            took.append((time.perf_counter() - began) * 1000)
            assert answer.status_code == 200

    # Noted, not asserted: other tests run beside it.
    record_property("p99_ms", round(statistics.quantiles(took, n=100)[98], 1))
    assert due(api, FORWARD) == 0
