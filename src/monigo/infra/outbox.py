"""The outbox: what happened is written in the transaction of the fact that it tells of."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from msgspec import Struct

from monigo.core.paging import Page, PageRequest
from monigo.infra import agenda, outbox_store
from monigo.infra.agenda import Entry, Follows, Kind, Slices, Task
from monigo.infra.database import Transaction

# Longer than anything that reads them may be away.
KEPT_FOR = timedelta(days=90)

# Of the events of a span of time.
EXPIRY = Kind("outbox_expiry", Follows.TENANT)
EXPIRY_SPAN = timedelta(days=30)


class EventType(StrEnum):
    """What happened, by the names under which webhooks tell it."""

    WALLET_TOP_UP_REQUESTED = "customer.wallet.top_up_requested"
    INVOICE_CREATED = "invoice.created"
    INVOICE_FINALIZED = "invoice.finalized"
    INVOICE_PAID = "invoice.paid"
    INVOICE_VOIDED = "invoice.voided"
    SUBSCRIPTION_CREATED = "subscription.created"
    SUBSCRIPTION_PAUSED = "subscription.paused"
    SUBSCRIPTION_RESUMED = "subscription.resumed"
    SUBSCRIPTION_CANCELED = "subscription.canceled"
    PREPAID_BALANCE_INSUFFICIENT = "subscription.prepaid_balance_insufficient"
    REALTIME_BALANCE_EXHAUSTED = "subscription.realtime_balance_exhausted"


class OutboxEvent(Struct, frozen=True):
    """Something that happened; `data` is JSON and names the things concerned by their ids."""

    type: EventType
    data: Mapping[str, Any]


class StoredEvent(Struct, frozen=True):
    """An event with its identity."""

    id: UUID
    event: OutboxEvent
    created_at: datetime


async def emit(tx: Transaction, events: Sequence[OutboxEvent]) -> None:
    """Tell what the transaction does; it is told if and only if the transaction commits."""
    if events:
        await outbox_store.insert(tx, [(event.type.value, event.data) for event in events])
        await agenda.put_for_span(tx, EXPIRY, tx.now, span=EXPIRY_SPAN, after=KEPT_FOR)


async def list_page(
    tx: Transaction, request: PageRequest, event_type: EventType | None
) -> Page[StoredEvent]:
    """What happened, newest first."""
    rows, total = await outbox_store.load_page(tx, request, event_type and event_type.value)
    found = [
        StoredEvent(row_id, OutboxEvent(EventType(name), data), created_at)
        for row_id, name, data, created_at in rows
    ]
    return Page(found, total, request.offset)


async def forget(tx: Transaction, _entries: Sequence[Entry]) -> tuple[()]:
    """Delete what happened too long ago."""
    await outbox_store.delete_before(tx, tx.now - KEPT_FOR)
    return ()


FORGET = Task(EXPIRY, Slices(forget), concurrency=1, every_seconds=60)
