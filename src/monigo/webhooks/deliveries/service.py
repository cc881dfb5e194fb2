"""Use cases of deliveries: events become them, and people look at them and have them sent again."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from monigo.core.errors import not_found
from monigo.core.ids import WebhookDeliveryId, WebhookEndpointId
from monigo.core.paging import Page, PageRequest
from monigo.infra import agenda
from monigo.infra.agenda import Entry, Follows, Kind, Slices, Task
from monigo.infra.db import Transaction
from monigo.infra.facts import Recorded, Subscriber
from monigo.infra.ids import new_id
from monigo.webhooks import endpoints
from monigo.webhooks.deliveries import store
from monigo.webhooks.deliveries.sending import RETRY, SEND, kind_of
from monigo.webhooks.deliveries.types import Delivery, DeliveryStatus
from monigo.webhooks.endpoints import Endpoint
from monigo.webhooks.projection import NAMES, body_of, project, public_name
from monigo.webhooks.types import VERSION, WebhookBody

# Long enough to see what an outage has cost.
KEPT_FOR = timedelta(days=30)
EXPIRY = Kind("webhook_delivery_expiry", Follows.REAL)
EXPIRY_SPAN = timedelta(days=1)
# Deleted in one transaction; the next look goes on.
EXPIRED_AT_ONCE = 5_000
TEST_TYPE = "webhook.test"

_encode = msgspec.json.Encoder().encode


async def deliver(tx: Transaction, facts: Sequence[Recorded]) -> None:
    """Have events sent to the endpoints that want them, with the removal from the outbox."""
    listening = await endpoints.listening(tx)
    if not listening:
        return
    made: list[Delivery] = []
    for recorded in facts:
        name = public_name(recorded.fact)
        wanting = [one for one in listening if name and endpoints.wants(one.events, name)]
        if wanting:
            body = _encode(body_of(project(recorded), tx.tenant)).decode()
            made += [
                _new(tx, one.id, event_id=recorded.id, event_type=str(name), body=body)
                for one in wanting
            ]
    await _send(tx, made, listening)


SUBSCRIBER = Subscriber(endpoints.SUBSCRIBER_NAME, tuple(NAMES), deliver, is_of_some=True)


async def send_test(tx: Transaction, endpoint_id: UUID) -> Delivery:
    """Have an event of no consequence sent to an endpoint, whatever types it wants.

    Raises:
        DomainError: not_found; conflict, where the endpoint is disabled.
    """
    endpoint = await endpoints.get_enabled(tx, endpoint_id)
    event_id = new_id()
    body = WebhookBody(
        id=event_id,
        type=TEST_TYPE,
        version=VERSION,
        created_at=tx.now,
        org_id=tx.org_id,
        is_test=tx.is_test,
        sequence=1,
        data={"webhook_endpoint": {"id": endpoint.id, "url": endpoint.url}},
    )
    text = _encode(body).decode()
    delivery = _new(tx, endpoint.id, event_id=event_id, event_type=TEST_TYPE, body=text)
    await _send(tx, [delivery], [endpoint])
    tx.changed(None, delivery)
    return delivery


async def retry(tx: Transaction, delivery_id: UUID) -> Delivery:
    """Have a delivery sent again at once, as another one of the same event; one that waits, itself.

    Raises:
        DomainError: not_found; conflict, where the endpoint is disabled.
    """
    before = await get(tx, delivery_id)
    endpoint = await endpoints.get_enabled(tx, before.endpoint_id)
    if before.status is DeliveryStatus.PENDING and await store.bring_forward(tx, before.id):
        await agenda.put(tx, kind_of(endpoint), {endpoint.id: tx.real_now})
        after = await get(tx, before.id)
        tx.changed(before, after)
        return after
    again = _new(
        tx,
        endpoint.id,
        event_id=before.event_id,
        event_type=before.event_type,
        body=before.body,
        retry_of=before.id,
    )
    await _send(tx, [again], [endpoint])
    tx.changed(None, again)
    return again


async def get(tx: Transaction, delivery_id: UUID) -> Delivery:
    """A delivery with all its attempts. Raises not_found."""
    found = await store.load(tx, delivery_id)
    if found is None:
        raise not_found("webhook_delivery")
    return found


async def list_page(
    tx: Transaction, endpoint_id: UUID | None, request: PageRequest
) -> Page[Delivery]:
    """Deliveries of the last thirty days, of all endpoints or of one, newest first."""
    return await store.load_page(tx, endpoint_id, request)


async def forget(tx: Transaction, entries: Sequence[Entry]) -> Sequence[UUID]:
    """Delete deliveries of too long ago, some at a time."""
    before = tx.real_now - KEPT_FOR
    if await store.delete_before(tx, before, EXPIRED_AT_ONCE) == EXPIRED_AT_ONCE:
        return [entry.subject for entry in entries]
    await store.delete_endpoints_before(tx, before)
    return ()


FORGET = Task(EXPIRY, Slices(forget), concurrency=1, every_seconds=1)


def _new(
    tx: Transaction,
    endpoint_id: WebhookEndpointId,
    *,
    event_id: UUID,
    event_type: str,
    body: str,
    retry_of: WebhookDeliveryId | None = None,
) -> Delivery:
    return Delivery(
        id=WebhookDeliveryId(new_id()),
        endpoint_id=endpoint_id,
        event_id=event_id,
        event_type=event_type,
        body=body,
        retry_of=retry_of,
        status=DeliveryStatus.PENDING,
        attempts=0,
        next_attempt_at=tx.real_now,
        created_at=tx.real_now,
        ended_at=None,
    )


async def _send(tx: Transaction, made: Sequence[Delivery], known: Sequence[Endpoint]) -> None:
    """Store deliveries, and have their endpoints sent to at once."""
    if not made:
        return
    await store.insert(tx, made)
    await agenda.put_for_span(tx, EXPIRY, tx.real_now, span=EXPIRY_SPAN, after=KEPT_FOR)
    wanted = {one.endpoint_id for one in made}
    for kind in (SEND, RETRY):
        due = [one.id for one in known if one.id in wanted and kind_of(one) is kind]
        await agenda.put(tx, kind, dict.fromkeys(due, tx.real_now))
