"""Metrics on the wire."""

from typing import Annotated, Any, Self

from msgspec import Meta
from pydantic import BeforeValidator, Field, WithJsonSchema

from monigo.api.kernel.wire.incoming import Incoming, Name, Text, empty_as_none
from monigo.api.kernel.wire.outgoing import Instant, ListEnvelope, Outgoing
from monigo.catalog import FILTER_OPERATORS, FILTERS_MAX, Metric, MetricFilter
from monigo.core.aggregation import Aggregation
from monigo.core.ids import MetricId, OrganizationId
from monigo.infra import json
from monigo.infra.db import Transaction

_OPERAND = [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]

_OPERAND_SCHEMA: dict[str, Any] = {
    "anyOf": [*_OPERAND, {"type": "array", "items": {"anyOf": _OPERAND}}, {"type": "null"}]
}

_OPERATOR_SCHEMA: dict[str, Any] = {"type": "string", "enum": list(FILTER_OPERATORS)}


class FilterIn(Incoming):
    """A condition on a property: only events that pass all of them are counted."""

    property: Name = Field(examples=["model"])
    operator: Annotated[Name, WithJsonSchema(_OPERATOR_SCHEMA)] = Field(examples=["in"])
    value: Annotated[Any, WithJsonSchema(_OPERAND_SCHEMA)] = Field(
        default=None,
        description="a list for `in` and `not in`, a number for comparisons, unset for `exists`",
        examples=[["gpt-4", "gpt-4o"]],
    )

    def condition(self) -> MetricFilter:
        """What the client said."""
        return MetricFilter(self.property, self.operator, self.value)


class FilterOut(Outgoing, frozen=True):
    """A condition on a property."""

    property: str
    operator: Annotated[str, Meta(extra_json_schema=_OPERATOR_SCHEMA)]
    value: Annotated[Any, Meta(extra_json_schema=_OPERAND_SCHEMA)]

    @classmethod
    def of(cls, condition: MetricFilter) -> Self:
        """The wire form."""
        return cls(
            property=condition.property,
            operator=condition.operator,
            value=json.exact_floats(condition.value),
        )


class MetricIn(Incoming):
    """A metric to create or change; what is not sent stays as it is."""

    name: Name | None = Field(default=None, examples=["API calls"])
    event_name: Name | None = Field(default=None, examples=["api_call"])
    aggregation: Annotated[Aggregation | None, BeforeValidator(empty_as_none)] = None
    aggregation_property: Name | None = Field(default=None, examples=["tokens"])
    description: Text | None = None
    filters: list[FilterIn] | None = Field(default=None, max_length=FILTERS_MAX)
    group_by: Name | None = Field(
        default=None,
        description="a property; counts and sums are also reported and billed for each value of it",
        examples=["model"],
    )

    def definition(self) -> dict[str, Any]:
        """What the client said."""
        given = self.given(
            "name", "event_name", "aggregation", "aggregation_property", "description", "group_by"
        )
        if self.filters is not None:
            given["filters"] = self.conditions()
        return given

    def conditions(self) -> tuple[MetricFilter, ...]:
        """The filters as the catalog knows them."""
        return tuple(item.condition() for item in self.filters or ())


class MetricOut(Outgoing, frozen=True):
    """A metric: how events become a quantity."""

    id: MetricId
    org_id: OrganizationId
    name: str
    event_name: str
    aggregation: Aggregation
    aggregation_property: str
    description: str
    filters: list[FilterOut]
    group_by: str
    value_expression: Annotated[
        str, Meta(description="of a payout rule: what an event is worth; else empty")
    ]
    customer_property: Annotated[
        str, Meta(description="of a payout rule: the property that names who is paid; else empty")
    ]
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, tx: Transaction, metric: Metric) -> Self:
        """The wire form."""
        definition = metric.definition
        return cls(
            id=metric.id,
            org_id=tx.org_id,
            name=definition.name,
            event_name=definition.event_name,
            aggregation=definition.aggregation,
            aggregation_property=definition.aggregation_property,
            description=definition.description,
            filters=[FilterOut.of(item) for item in definition.filters],
            group_by=definition.group_by,
            value_expression=definition.value_expression,
            customer_property=definition.customer_property,
            created_at=metric.created_at,
            updated_at=metric.updated_at,
        )


class MetricEnvelope(Outgoing, frozen=True):
    """One metric."""

    metric: MetricOut


class MetricList(ListEnvelope, frozen=True):
    """Metrics, newest first."""

    metrics: list[MetricOut]
