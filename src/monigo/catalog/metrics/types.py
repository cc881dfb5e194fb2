"""Metrics: how events of one name become a quantity."""

from datetime import datetime
from typing import Any

from msgspec import Struct

from monigo.core.aggregation import Aggregation
from monigo.core.ids import MetricId


class MetricFilter(Struct, frozen=True):
    """A condition on one property; events that fail it are not counted.

    `value` is a JSON value, a list for `in` and `not in`, None for `exists`.
    """

    property: str
    operator: str
    value: Any


class MetricDefinition(Struct, frozen=True):
    """How events become a quantity.

    With `group_by`, a count or sum is also reported for each value of that property. A payout
    rule's sums up what its expression makes of each event, for the customer whom the event names in
    `customer_property`; it never changes.
    """

    name: str
    event_name: str
    aggregation: Aggregation
    aggregation_property: str
    description: str
    filters: tuple[MetricFilter, ...] = ()
    group_by: str = ""
    value_expression: str = ""
    customer_property: str = ""

    @property
    def is_rule(self) -> bool:
        """Whether it is a payout rule's."""
        return self.customer_property != ""


class Metric(Struct, frozen=True):
    """A metric as stored. Its version rises with each change of how events are counted."""

    id: MetricId
    definition: MetricDefinition
    version: int
    created_at: datetime
    updated_at: datetime


class MetricDeletion(Struct, frozen=True):
    """The question whether a locked metric may be deleted."""

    metric_id: MetricId


class MetricUnsumming(Struct, frozen=True):
    """The question whether a locked metric may become something else than a sum."""

    metric_id: MetricId
