"""Endpoints of merchants, and the work that sends events to them."""

from uuid import UUID

from monigo import webhooks
from monigo.infra import outbox
from support.agenda import do
from support.simulator import Listener
from support.webhooks import tasks_of

SUBSCRIBER = webhooks.deliveries.SUBSCRIBER
PUBLIC_URL = "https://shop.example/hooks"


def endpoint(api, url=PUBLIC_URL, **fields):
    """A new endpoint, with its secret."""
    return api.make("/v1/webhook-endpoints", {"url": url, **fields}, "webhook_endpoint")


def dispatch(api):
    """Have facts become deliveries."""
    backend = api.backend
    backend.run(outbox.deliver_all(backend.services.database, SUBSCRIBER, api.tenant))


def send(api):
    """Do what the workers do: facts become deliveries, and what is due is sent."""
    dispatch(api)
    do(api, *tasks_of(api, webhooks.deliveries.SEND, webhooks.deliveries.RETRY))


def later(api, seconds):
    """What is sent some time later, failures noted."""
    api.backend.clock.advance(seconds=seconds)
    send(api)


def logs(api, **query):
    """Deliveries, the oldest first."""
    answer = api.get("/v1/webhook-delivery-logs", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["delivery_logs"][::-1]


def tried(api, endpoint_id):
    """Send an event of no consequence; its log."""
    return api.make(f"/v1/webhook-endpoints/{endpoint_id}/test", None, "delivery_log")


_ATTEMPT = """
    INSERT INTO webhook_attempts (org_id, is_test, delivery_id, number, url, request_headers,
        response_status, response_body, error, duration_ms, attempted_at)
    SELECT org_id, is_test, id, 1, 'https://shop.example/hooks', '{}', 500, '', 'planted', 1, now()
    FROM webhook_deliveries WHERE org_id = $1 AND is_test = $2 AND id = $3
"""


def plant_hook(api):
    """An endpoint, and a delivery to it that was tried once, by their ids."""
    made = endpoint(api)
    log = tried(api, made["id"])
    api.backend.sql(_ATTEMPT, api.org_id, api.tenant.is_test, UUID(log["id"]))
    return {"webhook_endpoint_id": made["id"], "webhook_delivery_id": log["id"]}


class Receiver(Listener):
    """A merchant's server: `bodies` is what it got, `headers` what came with it."""

    @property
    def bodies(self):
        return [raw for _, raw in self.events]

    @property
    def headers(self):
        return [headers for headers, _ in self.events]
