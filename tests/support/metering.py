"""What tests of metering need beside the API."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from monigo import catalog, metering
from monigo.metering import UsageQuery
from support.api import Api
from support.jobs import run_replay


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


def measured(api: Api, queries):
    """What `measure` says of queries, given as customer, metric and its two kinds of windows."""

    async def run():
        async with api.backend.services.database.transaction(api.tenant) as tx:
            metrics = await catalog.get_metrics(
                tx, {UUID(metric["id"]) for _, metric, *_ in queries}
            )
            return await metering.measure(
                tx,
                [
                    UsageQuery(customer, metrics[UUID(metric["id"])], windows, raw)
                    for customer, metric, windows, raw in queries
                ],
            )

    return api.backend.run(run())


def differences(api: Api):
    """What metering's verification finds."""

    async def run():
        async with api.backend.services.database.snapshot(api.tenant) as tx:
            return await metering.verify(tx)

    return api.backend.run(run()).differences


def replayed(api: Api, start: str, end: str, **fields):
    """A replay of a window that the worker has taken to its end, as the API tells of it."""
    answer = api.post("/v1/events/replay", json={"from": start, "to": end, **fields})
    assert answer.status_code == 202, answer.text
    job_id = answer.json()["job"]["id"]
    run_replay(api, job_id)
    return api.get(f"/v1/events/replay/{job_id}").json()["job"]


def aggregated(aggregation: str, numbers: Sequence[int]) -> Decimal:
    """What an aggregation makes of events' numbers, computed by itself."""
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
