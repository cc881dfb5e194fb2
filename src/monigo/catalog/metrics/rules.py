"""Pure rules of the catalog: which definitions are valid, and what an edit does to prices."""

from decimal import Decimal

from msgspec.structs import replace

from monigo.catalog.metrics.types import MetricDefinition, MetricFilter
from monigo.core.aggregation import Aggregation, needs_property, numeric_property
from monigo.core.errors import invalid
from monigo.core.jsonb import storage_fault

FILTERS_MAX = 20
FILTER_CHOICES_MAX = 100
# Every event of the name is compared with it; a longer text is no category of events.
FILTER_TEXT_LENGTH_MAX = 255
CHOICES = ("in", "not in")
COMPARISONS = (">", ">=", "<", "<=")
FILTER_OPERATORS = ("=", "!=", *CHOICES, *COMPARISONS, "exists")
# Whose total is the sum of its groups.
ADDITIVE = (Aggregation.COUNT, Aggregation.SUM)
# What a percentage can be taken of: the sum of what events are worth.
PERCENTAGE_OF = Aggregation.SUM


def check_definition(definition: MetricDefinition) -> None:
    """Raise invalid unless a metric can be computed by this definition."""
    faults = definition_faults(definition)
    if faults:
        raise invalid(faults)


def definition_faults(definition: MetricDefinition) -> dict[str, str]:
    """The fields by which a metric can't be computed, and why."""
    faults: dict[str, str] = {}
    if not definition.name:
        faults["name"] = "is required"
    if not definition.event_name:
        faults["event_name"] = "is required"
    has_value = definition.aggregation_property or definition.value_expression
    if needs_property(definition.aggregation) and not has_value:
        faults["aggregation_property"] = f"is required for {definition.aggregation.value}"
    if definition.group_by and definition.aggregation not in ADDITIVE:
        faults["group_by"] = "is possible for count and sum only"
    if len(definition.filters) > FILTERS_MAX:
        faults["filters"] = f"must be at most {FILTERS_MAX}"
    for position, condition in enumerate(definition.filters[:FILTERS_MAX]):
        faults |= _filter_faults(condition, f"filters[{position}]")
    return faults


def _filter_faults(condition: MetricFilter, path: str) -> dict[str, str]:
    faults: dict[str, str] = {}
    if not condition.property:
        faults[f"{path}.property"] = "is required"
    if condition.operator not in FILTER_OPERATORS:
        faults[f"{path}.operator"] = f"must be one of {', '.join(FILTER_OPERATORS)}"
    elif condition.operator in CHOICES:
        faults |= _choice_faults(condition.value, f"{path}.value")
    elif condition.operator in COMPARISONS:
        if numeric_property(condition.value) is None:
            faults[f"{path}.value"] = "must be a number"
        elif fault := _operand_fault(condition.value):
            faults[f"{path}.value"] = fault
    elif condition.operator == "exists":
        if condition.value is not None:
            faults[f"{path}.value"] = "must not be set: the property is all that matters"
    elif fault := _operand_fault(condition.value):
        faults[f"{path}.value"] = fault
    return faults


def _choice_faults(value: object, path: str) -> dict[str, str]:
    if not isinstance(value, list) or not 1 <= len(value) <= FILTER_CHOICES_MAX:
        return {path: f"must be a list of 1 to {FILTER_CHOICES_MAX} values"}
    return {
        f"{path}[{position}]": fault
        for position, choice in enumerate(value)
        if (fault := _operand_fault(choice))
    }


def _operand_fault(value: object) -> str | None:
    if not isinstance(value, str | int | Decimal):
        return "must be a string, a number or a boolean"
    if isinstance(value, str) and len(value) > FILTER_TEXT_LENGTH_MAX:
        return f"must be at most {FILTER_TEXT_LENGTH_MAX} characters"
    return storage_fault(value)


def counts_otherwise(before: MetricDefinition, after: MetricDefinition) -> bool:
    """Whether a definition counts events in another way; names and words alone don't matter."""
    words = {"name": "", "description": ""}
    if replace(before, **words) != replace(after, **words):
        return True
    # Python holds 1 and true to be equal, events don't.
    return _booleans(before) != _booleans(after)


def _booleans(definition: MetricDefinition) -> list[list[bool]]:
    values = [condition.value for condition in definition.filters]
    choices = [value if isinstance(value, list) else [value] for value in values]
    return [[isinstance(choice, bool) for choice in several] for several in choices]
