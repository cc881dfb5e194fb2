"""Pure rules of prices: what a price may be on, and what an edit does to a plan's prices."""

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from monigo.catalog.metrics import PERCENTAGE_OF, Metric
from monigo.catalog.prices.types import Price, PriceDraft
from monigo.core.errors import invalid
from monigo.core.ids import MetricId, PriceId
from monigo.core.pricing import Percentage

# A plan prices a handful of metrics; this keeps one invoice readable and one request small.
PRICES_MAX = 100
PERCENTAGE_NEEDS_SUM = "percentage needs a metric whose aggregation is sum"


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


def price_changes(
    present: Sequence[Price], wanted: Sequence[PriceDraft], *, path: str = "prices"
) -> PriceChanges:
    """Compare the whole wanted list: an entry with id revises, without adds, a missing one ends.

    `path` is what the list is called in a request.

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
            faults[f"{path}[{position}].id"] = "is not one of this plan, or stands here twice"
        elif present.index(price) != position or price.terms != draft.terms:
            revised.append((position, price, draft))
    if faults:
        raise invalid(faults)
    return PriceChanges(tuple(added), tuple(revised), tuple(by_id.values()))
