"""An organisation's number at the simulated WhatsApp, and webhooks as Meta signs them."""

import hashlib
import hmac
import json
import socket
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx

from monigo.infra import outbox
from monigo.notifications import mails as mails_room
from monigo.notifications import whatsapp
from monigo.providers.whatsapp import WhatsAppClient
from support.agenda import do
from support.waiting import wait_until

PHONE, DIGITS = "+234 803 123 4567", "2348031234567"
NUMBER_ID, ACCOUNT_ID = "106540352242922", "102290129340398"
VERIFY_TOKEN = "a-word-of-ours"
APP_SECRET = "0123456789abcdef0123456789abcdef"
# Of the machine's time; what the simulator says has it, too.
NOW = int(datetime(2026, 6, 16, tzinfo=UTC).timestamp())


def token_of(api, name=""):
    return f"EAASIM{name}{api.org_id.hex}{'test' if api.tenant.is_test else 'live'}"


def connection_body(api, **fields):
    return {
        "phone_number_id": NUMBER_ID,
        "business_account_id": ACCOUNT_ID,
        "access_token": token_of(api),
        "app_secret": APP_SECRET,
        "verify_token": VERIFY_TOKEN,
        **fields,
    }


def hook_url(api):
    return f"{api.backend.url}/webhooks/whatsapp/{api.org_id}"


def register(api, **fields):
    """Have the simulator know the organisation's number; it sends no webhooks without a URL."""
    body = {"secret_key": token_of(api), "public_key": NUMBER_ID, "webhook_secret": APP_SECRET}
    api.backend.simulated.control("merchants", provider="whatsapp", **{**body, **fields})


def connect_whatsapp(api, **settings):
    """Connect the organisation's number; notices that are named go by it. No webhooks come."""
    register(api)
    answer = api.post("/v1/whatsapp/connect", json=connection_body(api))
    assert answer.status_code == 200, answer.text
    if settings:
        change(api, settings)
    return answer.json()["connection"]


def change(api, settings):
    answer = api.put("/v1/whatsapp/notification-settings", json={"settings": settings})
    assert answer.status_code == 200, answer.text
    return answer.json()["settings"]


def script(api, outcome, verb="message", **more):
    api.backend.simulated.next("whatsapp", verb, outcome, **more)


@contextmanager
def nobody_listening(api):
    """For the block nobody listens where WhatsApp is asked."""
    messenger = api.backend.services.messenger
    client = messenger.client
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        messenger.client = WhatsAppClient(api.backend.services.http, live_url=url, test_url=url)
        try:
            yield
        finally:
            messenger.client = client


def notice(api):
    """What the worker does after facts: notices are written down, and messages sent."""
    deliver(api)
    send_messages(api)


def deliver(api):
    services = api.backend.services
    for subscriber in (mails_room.SUBSCRIBER, mails_room.REPLACING):
        api.backend.run(outbox.deliver_all(services.database, subscriber, api.tenant))


def send_messages(api):
    do(api, api.backend.services.messenger.task)


def look_for_confirmations(api):
    do(api, whatsapp.CONFIRMATIONS)


def logs(api):
    answer = api.get("/v1/whatsapp/message-logs")
    assert answer.status_code == 200, answer.text
    return answer.json()["message_logs"]


def log(api):
    """The one message that there is."""
    (found,) = logs(api)
    return found


def taken(api):
    """The messages of the organisation's number that WhatsApp took."""
    ids = {one["id"] for one in logs(api)}
    found = api.backend.simulated.books("whatsapp")["messages"]
    return [one for one in found if one["reference"] in ids]


def mails(api):
    """The notices that go by mail, the oldest first."""
    deliver(api)
    rows = api.backend.sql(
        "SELECT type FROM customer_mails WHERE org_id = $1 AND is_test = $2 ORDER BY id",
        api.org_id,
        api.tenant.is_test,
    )
    return [row["type"] for row in rows]


def status_of(message, status, *, at=NOW, **more):
    """A status report, as it stands in a webhook."""
    return {
        "id": message["whatsapp_message_id"] or "wamid.HBgUNKNOWN",
        "status": status,
        "timestamp": str(at),
        "recipient_id": DIGITS,
        "biz_opaque_callback_data": message["id"],
        **more,
    }


def text_of(text, *, at=NOW, phone=DIGITS):
    """What somebody wrote, as it stands in a webhook."""
    body = {"body": text}
    return {"from": phone, "id": "wamid.IN", "timestamp": str(at), "type": "text", "text": body}


def hook_body(*, statuses=(), messages=(), number_id=NUMBER_ID):
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "+234", "phone_number_id": number_id},
        "statuses": list(statuses),
        "messages": list(messages),
    }
    change = {"field": "messages", "value": value}
    entry = {"id": ACCOUNT_ID, "changes": [change]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def signature(raw, secret=APP_SECRET):
    return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def send_hook(api, raw, *, secret=APP_SECRET, headers=None):
    """The answer to a webhook that is signed with a secret."""
    signed = {"x-hub-signature-256": signature(raw, secret)} if headers is None else headers
    return httpx.post(
        hook_url(api), content=raw, headers={"content-type": "application/json", **signed}
    )


def report(api, *statuses, messages=()):
    answer = send_hook(api, hook_body(statuses=statuses, messages=messages))
    assert answer.status_code == 200, answer.text


def wait_for_status(api, status):
    wait_until(lambda: log(api)["status"] == status)


def wishes(api):
    """What the owners of phones said last."""
    query = "SELECT phone, is_out FROM whatsapp_opt_outs WHERE org_id = $1"
    return {row["phone"]: row["is_out"] for row in api.backend.sql(query, api.org_id)}


def plant_whatsapp(api, customer_id):
    """A connected number, a message that arrived, and a phone whose owner wants none."""
    connect_whatsapp(api, receipt=True)
    tenant = (api.org_id, api.tenant.is_test)
    api.backend.sql(
        "INSERT INTO whatsapp_messages (org_id, is_test, id, fact_id, customer_id, type, occasion,"
        " status, phone, template, language, parameters, attempts, whatsapp_id, reason, created_at,"
        " sending_at, accepted_at, sent_at) VALUES ($1, $2, gen_random_uuid(), gen_random_uuid(),"
        " $3, 'receipt', $4, 'sent', '2348031234567', 'receipt', 'en', '{Ada}', 1, 'wamid.1', '',"
        " now(), now(), now(), now())",
        *tenant,
        customer_id,
        json.dumps(
            {
                "type": "receipt",
                "customer_id": str(customer_id),
                "occurred_at": "2026-01-01T00:00:00Z",
            }
        ),
    )
    api.backend.sql(
        "INSERT INTO whatsapp_opt_outs (org_id, is_test, phone, is_out, said_at)"
        " VALUES ($1, $2, '2348030000000', true, now())",
        *tenant,
    )
