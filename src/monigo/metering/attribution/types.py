"""Amounts that events are worth, and to whom."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from monigo.core.expressions import Node
from monigo.core.ids import CustomerId, MetricId


class Rule(Struct, frozen=True):
    """A payout rule as events are worked out by it.

    `names` are the properties that it looks at, the recipient's first; at that one also for the
    amount, where it `looks_at_recipient`. It looks at what happened before `ends_at` only.
    """

    metric_id: MetricId
    event_name: str
    names: tuple[str, ...]
    looks_at_recipient: bool
    tree: Node
    filters: str
    ends_at: datetime | None


class Seen(Struct, frozen=True):
    """What of an event a rule looks at: the JSON texts of properties, None for a missing one.

    In the order of the rule's names; there may be more, which are None.
    """

    dedup: UUID
    occurred_at: datetime
    held: list[str | None]


@dataclass(slots=True)
class Amounts:
    """What events are worth by one rule, column by column, as it is sent to the database.

    A recipient is a customer, or a text that names none yet; an amount is there, or a fault.
    """

    metric_id: MetricId
    dedups: list[UUID] = field(default_factory=list[UUID])
    occurred: list[datetime] = field(default_factory=list[datetime])
    recipients: list[str] = field(default_factory=list[str])
    customer_ids: list[CustomerId | None] = field(default_factory=list[CustomerId | None])
    amounts: list[Decimal | None] = field(default_factory=list[Decimal | None])
    faults: list[str] = field(default_factory=list[str])
