"""Events as they are sent, and what became of a batch."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct


class Event(msgspec.Struct):
    """An event as it comes in. `customer_id` may be an external_id, `properties` is raw JSON."""

    event_name: str
    customer_id: str
    idempotency_key: str
    timestamp: str | None = None
    properties: msgspec.Raw = msgspec.Raw(b"{}")


class IngestResult(Struct, frozen=True):
    """Idempotency keys in the batch's order: counted now, and counted before."""

    ingested: Sequence[str]
    duplicates: Sequence[str]
