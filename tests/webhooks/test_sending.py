"""Events are sent to the endpoints that want them, signed, until they are taken."""

import asyncio
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from monigo.infra.agenda.work import work_some
from monigo.webhooks.deliveries import SEND
from monigo.webhooks.deliveries.service import EXPIRY
from monigo.webhooks.endpoints import NOTICE
from support.agenda import do, pass_until_due
from support.api import Api
from support.hooks import SUBSCRIBER, dispatch, endpoint, later, logs, send, tried
from support.mail import text_of
from support.people import Person
from support.webhooks import tasks_of

PATH = "/v1/webhook-endpoints"
SCHEDULE = [30, 300, 1_800, 7_200, 28_800]
WAITS_AGAIN = """
    INSERT INTO outbox_deliveries (org_id, is_test, subscriber, subject_id, position, runs_at,
        attempts, reason)
    SELECT org_id, is_test, $2, subject_id, position, now() - interval '1 year', 0, ''
    FROM outbox_facts WHERE org_id = $1 AND type = 'SubscriptionCreated'
"""
OF_TENANT = "SELECT 1 FROM webhook_endpoints WHERE org_id = $1"


@pytest.fixture
def customer(api):
    """A subscription, and with it an event."""
    return api.subscribed_customer()


def test_an_event_is_sent_to_the_endpoints_that_want_it(api, receiver):
    wanting = endpoint(api, f"{receiver.url}/a", events=["subscription.*"])
    endpoint(api, f"{receiver.url}/b", events=["invoice.paid"])
    api.subscribed_customer()

    send(api)

    (log,) = logs(api)
    (event,) = api.get("/v1/billing-events").json()["events"]
    assert [json.loads(raw) for raw in receiver.bodies] == [event]
    assert (log["endpoint_id"], log["status"], log["attempts"]) == (wanting["id"], "succeeded", 1)
    assert (log["event_id"], log["event_type"]) == (event["id"], "subscription.created")
    assert log["request_body"].encode() == receiver.bodies[0]
    assert (log["response_status"], log["error"], log["next_attempt_at"]) == (200, "", None)


def test_an_event_has_the_fields_of_the_contract(api, receiver, customer):
    endpoint(api, receiver.url)
    draft = api.draft(customer[-1]["id"])

    send(api)

    body = json.loads(receiver.bodies[-1])
    assert list(body) == [
        "id",
        "type",
        "version",
        "created_at",
        "org_id",
        "is_test",
        "sequence",
        "data",
    ]
    assert (body["type"], body["version"]) == ("invoice.created", 1)
    assert (body["org_id"], body["is_test"]) == (str(api.org_id), True)
    assert body["data"]["invoice"]["id"] == draft["id"]


def test_the_events_of_an_object_have_rising_numbers(api, receiver, customer):
    endpoint(api, receiver.url, events=["invoice.*"])
    api.finalize(api.draft(customer[-1]["id"])["id"])

    send(api)

    of_invoice = sorted(
        (json.loads(raw) for raw in receiver.bodies), key=lambda one: one["sequence"]
    )
    assert [one["type"] for one in of_invoice] == [
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
    ]
    assert len({one["sequence"] for one in of_invoice}) == 3


def present(api):
    """Let the server's clock be the machine's, as that of receivers is."""
    clock = api.backend.clock
    clock.advance(seconds=(datetime.now(UTC) - clock.now()).total_seconds())


@pytest.mark.parametrize("given", [None, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
def test_the_standard_library_takes_what_is_sent_and_no_forgery(api, receiver, given):
    present(api)
    made = endpoint(api, receiver.url, secret_key=given)
    tried(api, made["id"])

    send(api)

    raw, headers = receiver.bodies[0], receiver.headers[0]
    verifier = Webhook(made["secret_key"])
    old = str(int((datetime.now(UTC) - timedelta(minutes=6)).timestamp()))
    assert given in {None, made["secret_key"]}
    assert verifier.verify(raw, headers)["type"] == "webhook.test"
    for forged in (
        lambda: verifier.verify(raw.replace(b"webhook.test", b"webhook.tesT"), headers),
        lambda: verifier.verify(raw, headers | {"webhook-timestamp": old}),
        lambda: verifier.verify(raw, headers | {"webhook-id": "another"}),
        lambda: Webhook("whsec_" + "A" * 32).verify(raw, headers),
    ):
        with pytest.raises(WebhookVerificationError):
            forged()


def test_our_own_signature_is_keyed_by_the_secret_as_it_is_shown(api, receiver):
    made = endpoint(api, receiver.url, secret_key="a-secret-of-the-merchant's")
    tried(api, made["id"])

    send(api)

    expected = hmac.new(b"a-secret-of-the-merchant's", receiver.bodies[0], hashlib.sha256)
    headers = receiver.headers[0]
    assert headers["x-monigo-signature"] == f"sha256={expected.hexdigest()}"
    assert "x-monigo-signature-previous" not in headers


def test_while_a_secret_is_replaced_both_sign(api, receiver):
    present(api)
    made = endpoint(api, receiver.url)
    rotated = api.make(f"{PATH}/{made['id']}/rotate-secret", None, "webhook_endpoint")
    tried(api, made["id"])
    send(api)
    api.backend.clock.advance(seconds=72 * 3_600 + 1)
    tried(api, made["id"])

    send(api)

    (during, after), (raw, _) = receiver.headers, receiver.bodies
    assert made["secret_key"] != rotated["secret_key"]
    Webhook(made["secret_key"]).verify(raw, during)
    Webhook(rotated["secret_key"]).verify(raw, during)
    assert len(after["webhook-signature"].split()) == 1
    assert "x-monigo-signature-previous" in during
    assert "x-monigo-signature-previous" not in after


def test_what_is_not_taken_is_tried_again_by_the_schedule_and_then_has_failed(api, receiver):
    receiver.statuses = [500] * 6
    made = endpoint(api, receiver.url)
    log_id = tried(api, made["id"])["id"]

    send(api)
    seen = [logs(api)[0]]
    for pause in SCHEDULE:
        later(api, pause - 1)
        seen.append(logs(api)[0])
        later(api, 1)
    later(api, 86_400)

    log = api.get(f"/v1/webhook-delivery-logs/{log_id}").json()["delivery_log"]
    assert [one["attempts"] for one in seen] == [1, 1, 2, 3, 4, 5]
    assert (log["status"], log["attempts"], log["next_attempt_at"]) == ("failed", 6, None)
    assert [one["number"] for one in log["history"]] == [1, 2, 3, 4, 5, 6]
    assert {one["error"] for one in log["history"]} == {"answered HTTP 500"}
    assert {one["headers"]["webhook-id"] for one in _sent(receiver)} == {log["event_id"]}
    assert len({one["raw"] for one in _sent(receiver)}) == 1


def _sent(receiver):
    return [{"headers": headers, "raw": raw} for headers, raw in receiver.events]


def test_a_success_ends_the_attempts(api, receiver):
    receiver.statuses = [503, 204]
    made = endpoint(api, receiver.url)
    tried(api, made["id"])

    send(api)
    failing = shown(api, made)
    later(api, 30)
    later(api, 86_400)

    assert [log["status"] for log in logs(api)] == ["succeeded"]
    assert len(receiver.events) == 2
    assert failing["failing_since"] is not None
    assert shown(api, made)["failing_since"] is None


def shown(api, made):
    return api.get(f"{PATH}/{made['id']}").json()["webhook_endpoint"]


def test_a_person_has_an_event_sent_again_under_its_id(api, receiver):
    made = endpoint(api, receiver.url)
    first = tried(api, made["id"])
    send(api)

    again = api.make(f"/v1/webhook-delivery-logs/{first['id']}/retry", None, "delivery_log")
    send(api)

    assert again["id"] != first["id"]
    assert (again["retry_of"], again["event_id"]) == (first["id"], first["event_id"])
    assert [log["status"] for log in logs(api)] == ["succeeded", "succeeded"]
    assert len({headers["webhook-id"] for headers in receiver.headers}) == 1


def test_what_waits_for_its_next_attempt_is_sent_at_once_and_has_one_log(api, receiver):
    receiver.statuses = [500]
    made = endpoint(api, receiver.url)
    first = tried(api, made["id"])
    send(api)

    again = api.make(f"/v1/webhook-delivery-logs/{first['id']}/retry", None, "delivery_log")
    send(api)

    assert again["id"] == first["id"]
    assert [(log["status"], log["attempts"]) for log in logs(api)] == [("succeeded", 2)]


def test_a_disabled_endpoint_gets_nothing_and_what_waits_for_it_has_failed(api, receiver):
    receiver.statuses = [500]
    made = endpoint(api, receiver.url)
    first = tried(api, made["id"])
    send(api)
    api.put(f"{PATH}/{made['id']}", json={"enabled": False})
    api.subscribed_customer()

    later(api, 31)

    refused = api.post(f"/v1/webhook-delivery-logs/{first['id']}/retry")
    (log,) = logs(api)
    assert (log["status"], log["attempts"]) == ("failed", 1)
    assert log["error"] == "the endpoint was disabled or deleted"
    assert len(receiver.events) == 1
    assert (refused.status_code, refused.json()["code"]) == (409, "webhook_endpoint_disabled")


def test_what_fails_for_three_days_is_disabled_and_its_owners_get_a_mail(api, receiver):
    receiver.statuses = [500] * 100
    with Person.signed_in(api.backend) as owner:
        org_id = UUID(owner.found()["organization"]["id"])
        api = Api.of(api.backend, org_id, is_test=True)
        made = endpoint(api, receiver.url)
        tried(api, made["id"])
        send(api)
        later(api, 3 * 86_400 - 60)
        before = shown(api, made)
        tried(api, made["id"])
        later(api, 61)
        do(api, *tasks_of(api, NOTICE))
        (mail,) = owner.mails(api.tenant)
    after = shown(api, made)

    assert (before["enabled"], before["disabled_reason"]) == (True, "")
    assert (after["enabled"], after["disabled_reason"]) == (False, "failing")
    assert receiver.url in text_of(mail)


def test_enabled_again_it_is_not_disabled_by_the_failures_of_before(api, receiver):
    receiver.statuses = [500] * 3
    made = endpoint(api, receiver.url)
    tried(api, made["id"])
    send(api)
    api.put(f"{PATH}/{made['id']}", json={"enabled": False})
    api.backend.clock.advance(seconds=4 * 86_400)
    api.put(f"{PATH}/{made['id']}", json={"enabled": True})
    tried(api, made["id"])

    send(api)

    assert shown(api, made)["enabled"]


def test_the_log_is_kept_for_thirty_days(api, receiver):
    made = endpoint(api, receiver.url)
    tried(api, made["id"])
    send(api)
    api.delete(f"{PATH}/{made['id']}")
    kept = logs(api)

    pass_until_due(api, EXPIRY)
    do(api, *tasks_of(api, EXPIRY))

    assert [log["status"] for log in kept] == ["succeeded"]
    assert logs(api) == []
    assert api.backend.sql(OF_TENANT, api.org_id) == []


def test_an_event_that_is_handled_again_is_sent_once(api, receiver):
    endpoint(api, receiver.url)
    api.subscribed_customer()
    dispatch(api)
    api.backend.sql(WAITS_AGAIN, api.org_id, SUBSCRIBER.name)

    send(api)

    assert len(logs(api)) == len(receiver.events) == 1


def test_two_workers_send_an_event_once(api, receiver):
    endpoint(api, receiver.url)
    api.subscribed_customer()
    dispatch(api)
    services = api.backend.services
    (task,) = tasks_of(api, SEND)

    async def both():
        stop = asyncio.Event()
        work = (work_some(services.database, task, api.tenant, stop) for _ in range(2))
        return await asyncio.gather(*work)

    counts = api.backend.run(both())

    assert sorted(counts) == [0, 1]
    assert len(receiver.events) == 1


def test_what_a_fact_did_not_commit_is_never_sent(api, receiver):
    endpoint(api, receiver.url)
    api.customer()

    refused = api.post("/v1/subscriptions", json={"customer_id": "c1", "plan_id": str(uuid4())})
    send(api)

    assert refused.status_code == 404
    assert receiver.events == []
