"""What tests of metering need beside the API."""

from collections.abc import Sequence
from decimal import Decimal

from monigo import metering
from support.api import Api


def trust_buckets(api: Api, metric_ids: list[str]) -> None:
    """Let usage be read from buckets: of new metrics, whose events are all still to come."""
    api.backend.sql(
        "UPDATE metrics SET rollups_from = '-infinity' WHERE org_id = $1 AND id = ANY ($2::uuid[])",
        api.org_id,
        metric_ids,
    )


def fold(api: Api) -> None:
    """Add all that was ingested to the buckets, as the worker does."""
    api.backend.run(metering.fold_all(api.backend.services.database))


def aggregated(aggregation: str, numbers: Sequence[int]) -> Decimal:
    """What an aggregation makes of events' numbers, reckoned by itself."""
    match aggregation:
        case "count":
            return Decimal(len(numbers))
        case "sum":
            return Decimal(sum(numbers))
        case "max":
            return Decimal(max(numbers, default=0))
        case "minimum":
            return Decimal(min(numbers, default=0))
        case "unique":
            return Decimal(len(set(numbers)))
        case "average":
            average = Decimal(sum(numbers)) / len(numbers) if numbers else Decimal(0)
            return average.quantize(Decimal("1e-12"))
        case _:
            raise ValueError(aggregation)
