"""Pure rules of the catalog: which definitions are valid, and what an edit does to prices."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from monigo.catalog.types import (
    BaseFee,
    BillingMode,
    Metric,
    MetricDefinition,
    MetricFilter,
    OverrideChanges,
    OverrideTerms,
    PlanChanges,
    PlanDetails,
    PlanType,
    Price,
    PriceDraft,
    PriceOverride,
)
from monigo.core.aggregation import Aggregation, needs_property, numeric_property
from monigo.core.errors import invalid
from monigo.core.ids import MetricId, PriceId
from monigo.core.jsonb import storage_fault
from monigo.core.pricing import Percentage, parse_price_model, price_model_json

# A plan prices a handful of metrics; this keeps one invoice readable and one request small.
PRICES_MAX = 100
TRIAL_DAYS_MAX = 730
FILTERS_MAX = 20
FILTER_CHOICES_MAX = 100
# Every event of the name is compared with it; what is longer is no word to tell events apart by.
FILTER_TEXT_LENGTH_MAX = 255
CHOICES = ("in", "not in")
COMPARISONS = (">", ">=", "<", "<=")
FILTER_OPERATORS = ("=", "!=", *CHOICES, *COMPARISONS, "exists")
# Whose total is the sum of its groups.
ADDITIVE = (Aggregation.COUNT, Aggregation.SUM)
# What a percentage can be taken of: the sum of what events are worth.
PERCENTAGE_OF = Aggregation.SUM
PERCENTAGE_NEEDS_SUM = "percentage needs a metric whose aggregation is sum"


def check_definition(definition: MetricDefinition) -> None:
    """Raise invalid unless a metric can be computed by this definition."""
    faults: dict[str, str] = {}
    if not definition.name:
        faults["name"] = "is required"
    if not definition.event_name:
        faults["event_name"] = "is required"
    if needs_property(definition.aggregation) and not definition.aggregation_property:
        faults["aggregation_property"] = f"is required for {definition.aggregation.value}"
    if definition.group_by and definition.aggregation not in ADDITIVE:
        faults["group_by"] = "is possible for count and sum only"
    if len(definition.filters) > FILTERS_MAX:
        faults["filters"] = f"must be at most {FILTERS_MAX}"
    for position, condition in enumerate(definition.filters[:FILTERS_MAX]):
        faults |= _filter_faults(condition, f"filters[{position}]")
    if faults:
        raise invalid(faults)


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


def check_details(details: PlanDetails) -> None:
    """Raise invalid unless the plan can be subscribed to."""
    faults: dict[str, str] = {}
    if not details.name:
        faults["name"] = "is required"
    if not 0 <= details.trial_period_days <= TRIAL_DAYS_MAX:
        faults["trial_period_days"] = f"must be 0 to {TRIAL_DAYS_MAX}"
    if details.plan_type is PlanType.PAYOUT and details.billing_mode is not BillingMode.POSTPAID:
        faults["billing_mode"] = "must be postpaid: a payout plan takes nothing from a wallet"
    if faults:
        raise invalid(faults)


def fixed_terms(details: PlanDetails) -> tuple[object, ...]:
    """What subscribers rely on: it may not change once the plan has had any."""
    return (details.currency, details.plan_type, details.billing_period, details.billing_mode)


def check_base_fee(base_fee: BaseFee) -> None:
    """Raise invalid for a fee that would be paid back."""
    if base_fee.amount < 0:
        raise invalid({"base_fee": "must not be negative"})


def base_fee_after(present: BaseFee, changes: PlanChanges) -> BaseFee:
    """A plan's base fee after an edit."""
    return BaseFee(
        amount=present.amount if changes.base_fee is None else changes.base_fee,
        in_advance=present.in_advance if changes.in_advance is None else changes.in_advance,
    )


def percentage_faults(
    wanted: Sequence[PriceDraft],
    metrics: Mapping[MetricId, Metric],
    overridden: Collection[PriceId],
) -> dict[str, str]:
    """The prices that would take a percentage of what is no sum.

    `overridden` are those of which some customer's override takes one.
    """
    faults: dict[str, str] = {}
    for position, draft in enumerate(wanted):
        terms = draft.terms
        if metrics[terms.metric_id].definition.aggregation is PERCENTAGE_OF:
            continue
        if isinstance(terms.charge.model, Percentage):
            faults[f"prices[{position}].model"] = PERCENTAGE_NEEDS_SUM
        elif draft.id in overridden:
            message = "must be a sum: a price override takes a percentage of it"
            faults[f"prices[{position}].metric_id"] = message
    return faults


class PriceChanges(Struct, frozen=True):
    """What turns a plan's present prices into the asked-for list. Positions are the list's."""

    added: tuple[tuple[int, PriceDraft], ...]
    revised: tuple[tuple[int, Price, PriceDraft], ...]
    removed: tuple[Price, ...]


NO_PRICE_CHANGES = PriceChanges((), (), ())


def price_changes(present: Sequence[Price], wanted: Sequence[PriceDraft]) -> PriceChanges:
    """Compare the whole wanted list: an entry with id revises, without adds, a missing one ends.

    Raises:
        DomainError: invalid, for an id that is not one of the plan's prices or named twice.
    """
    by_id: dict[PriceId, Price] = {price.id: price for price in present}
    faults: dict[str, str] = {}
    added: list[tuple[int, PriceDraft]] = []
    revised: list[tuple[int, Price, PriceDraft]] = []
    for position, draft in enumerate(wanted):
        if draft.id is None:
            added.append((position, draft))
        elif (price := by_id.pop(draft.id, None)) is None:
            faults[f"prices[{position}].id"] = "is not a price of this plan, or stands here twice"
        elif present.index(price) != position or price.terms != draft.terms:
            revised.append((position, price, draft))
    if faults:
        raise invalid(faults)
    return PriceChanges(tuple(added), tuple(revised), tuple(by_id.values()))


def check_override(terms: OverrideTerms, metric: Metric) -> None:
    """Raise invalid unless such an override of a price on this metric means something."""
    faults: dict[str, str] = {}
    is_percentage = isinstance(terms.model, Percentage)
    if is_percentage and metric.definition.aggregation is not PERCENTAGE_OF:
        faults["model"] = PERCENTAGE_NEEDS_SUM
    if terms.valid_until is not None and terms.valid_until <= terms.valid_from:
        faults["valid_until"] = "must be after valid_from"
    if faults:
        raise invalid(faults)


def override_after(present: PriceOverride, changes: OverrideChanges) -> OverrideTerms:
    """An override's terms after an edit: a unit price or tiers replace what there was of both.

    Raises:
        DomainError: invalid.
    """
    unit_price, tiers = changes.unit_price, changes.tiers
    if (unit_price is None or unit_price == "") and tiers is None:
        unit_price, tiers = price_model_json(present.model)
    model_name = changes.model_name or present.model_name
    return OverrideTerms(
        parse_price_model(model=model_name, unit_price=unit_price, tiers=tiers, path=""),
        model_name,
        changes.valid_from or present.valid_from,
        changes.valid_until or present.valid_until,
    )
