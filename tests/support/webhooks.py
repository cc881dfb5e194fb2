"""Webhooks as providers send them: bodies, signatures, and the work that follows."""

import hashlib
import hmac
import json
from uuid import UUID, uuid4

import httpx

from monigo.payments.events.service import APPLY, LOOK_UP
from support.agenda import work

HEADERS = {
    "paystack": "x-paystack-signature",
    "flutterwave": "verif-hash",
    "monnify": "monnify-signature",
}


def paid(provider, reference, *, number=1, amount=2500):
    """The body of an event that a payment succeeded; `amount` is in major units."""
    match provider:
        case "paystack":
            data = {
                "id": number,
                "domain": "test",
                "status": "success",
                "reference": reference,
                "amount": amount * 100,
                "currency": "NGN",
                "paid_at": "2026-06-16T11:59:00.000Z",
            }
            body = {"event": "charge.success", "data": data}
        case "flutterwave":
            data = {
                "id": number,
                "tx_ref": reference,
                "amount": amount,
                "currency": "NGN",
                "charged_amount": amount,
                "status": "successful",
                "payment_type": "card",
            }
            body = {"event": "charge.completed", "data": data, "event.type": "CARD_TRANSACTION"}
        case "monnify":
            data = {
                "transactionReference": str(number),
                "paymentReference": reference,
                "amountPaid": amount,
                "paymentStatus": "PAID",
                "currency": "NGN",
                "product": {"type": "WEB_SDK", "reference": reference},
            }
            body = {"eventType": "SUCCESSFUL_TRANSACTION", "eventData": data}
    return json.dumps(body).encode()


def signature(provider, secret, raw):
    if provider == "flutterwave":
        return secret
    return hmac.new(secret.encode(), raw, hashlib.sha512).hexdigest()


def secret_of(keys):
    """What signs an account's webhooks, by the fields that it was connected with."""
    given = keys.get("webhook_signing_secret")
    return given or keys["test_secret_key"]


def send(api, provider, raw, secret, *, org_id=None, headers=None):
    """The answer to a webhook signed with a secret."""
    signed = {HEADERS[provider]: signature(provider, secret, raw)} if headers is None else headers
    return httpx.post(
        f"{api.backend.url}/webhooks/{provider}/{org_id or api.org_id}",
        content=raw,
        headers={"content-type": "application/json", **signed},
        timeout=60,
    )


def tasks_of(api, *kinds):
    """The tasks of the running services, of these kinds."""
    return [task for task in api.backend.services.tasks if task.kind in kinds]


def work_off(api, *tasks):
    """Have all events worked off that are due now."""
    for task in tasks or tasks_of(api, APPLY, LOOK_UP):
        work(api.backend, api.tenant, task)


def events_of(api, **query):
    """The inbox, or what else is asked for."""
    answer = api.get("/v1/provider-events", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["events"]


def states_of(api, **query):
    return [event["status"] for event in events_of(api, **query)]


def due(api, kind):
    """How many entries the agenda has of a kind."""

    async def count():
        async with api.backend.services.database.transaction(api.tenant) as tx:
            rows = await tx.fetch(
                "SELECT subject FROM agenda WHERE org_id = $1 AND is_test = $2 AND kind = $3",
                kind.name,
            )
        return len(rows)

    return api.backend.run(count())


def plant_events(api, connection_id):
    """An event that waits for a person, whose id it is, and a list that was compared."""
    row = (api.org_id, api.tenant.is_test, UUID(connection_id), api.backend.clock.now())
    event_id = uuid4()
    api.backend.sql(
        "INSERT INTO provider_events (org_id, is_test, id, connection_id, provider, body_hash,"
        " letter_ciphertext, is_proven, state, reason, tries, kind, payment_state, reference,"
        " provider_id, rail_id, currency, amount, account, is_confirmed, received_at)"
        " VALUES ($1, $2, $5, $3, 'paystack', sha256('planted'), 'planted', true, 'parked',"
        " 'planted', 1, 'charge', 'succeeded', 'mo', '4242', '', 'NGN', 9, '', true, $4)",
        *row,
        event_id,
    )
    # And one whose money went back, where there is a refund.
    api.backend.sql(
        "INSERT INTO provider_events (org_id, is_test, id, connection_id, provider, body_hash,"
        " letter_ciphertext, is_proven, state, reason, tries, kind, payment_state, reference,"
        " provider_id, rail_id, currency, amount, account, is_confirmed, received_at, handled_at,"
        " refund_id)"
        " SELECT $1, $2, gen_random_uuid(), $3, 'paystack', sha256('sent back'), 'planted', true,"
        " 'refunded', '', 1, 'charge', 'pending', 'mo', '', '', '', NULL, '', true, $4, $4,"
        " refund.id"
        " FROM refunds AS refund WHERE refund.org_id = $1 AND refund.is_test = $2 LIMIT 1",
        *row,
    )
    api.backend.sql(
        "INSERT INTO reconciliation_rows (org_id, is_test, id, connection_id, kind, subject,"
        " reference, provider_id, our_state, our_currency, their_state, their_currency, next_step,"
        " reason, occurred_at, found_at, seen_at)"
        " VALUES ($1, $2, $3, $3, 'missing_here', '1', 'mo', '1', '', '', 'succeeded', '',"
        " 'person', '', $4, $4, $4)",
        *row,
    )
    api.backend.sql(
        "INSERT INTO reconciliation_looks"
        " (org_id, is_test, connection_id, since, until, listed, finished_at)"
        " VALUES ($1, $2, $3, $4::timestamptz - interval '1 day', $4, 1, $4)",
        *row,
    )
    return str(event_id)
