"""Pure rules of price overrides: which are valid, and which one prices a period."""

from collections.abc import Iterable

from msgspec.structs import replace

from monigo.catalog.metrics import PERCENTAGE_OF, Metric
from monigo.catalog.overrides.types import OverrideChanges, OverrideTerms, PriceOverride
from monigo.catalog.prices import PERCENTAGE_NEEDS_SUM
from monigo.core.errors import invalid
from monigo.core.ids import PriceId
from monigo.core.periods import Period
from monigo.core.pricing import Charge, Percentage, parse_price_model, price_model_json


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


def override_for(
    overrides: Iterable[PriceOverride], price_id: PriceId, period: Period
) -> PriceOverride | None:
    """A customer's override that prices the whole period, if there is one.

    It is the one that holds as the period ends; overrides of a price never overlap.
    """
    return next(
        (
            override
            for override in overrides
            if override.price_id == price_id
            and override.valid_from < period.end
            and (override.valid_until is None or override.valid_until >= period.end)
        ),
        None,
    )


def charge_under(charge: Charge, override: PriceOverride | None) -> Charge:
    """What a customer is charged: the override's model, if there is one, under the price's fees."""
    return charge if override is None else replace(charge, model=override.model)
