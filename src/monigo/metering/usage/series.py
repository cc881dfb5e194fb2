"""Usage as a series: one metric's usage, hour by hour, day by day or month by month."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from itertools import pairwise

import asyncpg

from monigo import catalog, customers, tenancy
from monigo.catalog import Metric
from monigo.core.errors import DomainError, invalid, not_found
from monigo.core.ids import CustomerId, parse_id
from monigo.core.money import EXACT
from monigo.core.periods import Period
from monigo.infra.db import Transaction
from monigo.metering.rules import quantity_of
from monigo.metering.usage import series_store
from monigo.metering.usage.points import (
    GROUPED_POINTS_MAX,
    POINTS_MAX,
    SPANS,
    broken_hours,
    lay_out,
)
from monigo.metering.usage.types import Series, SeriesPoint, SeriesRequest

# Bounds of a series by a property that the metric does not group by: its events are read one by
# one.
REGROUPED_SPAN_MAX = timedelta(days=31)
OTHER = "other"
# Within them all time zones know their calendar.
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(2200, 1, 1, tzinfo=UTC)


async def read_series(tx: Transaction, request: SeriesRequest) -> Series:
    """A metric's usage in each point of a span; points without events are 0.

    Exact at any moment, as `measure` is. Without a customer, counts and sums of all of them.

    Raises:
        DomainError: not_found, naming metric or customer; invalid, naming what asks for too much.
    """
    metric = await _metric(tx, request.metric)
    customer_id = await _customer(tx, request.customer)
    timezone = (await tenancy.get_organization(tx)).billing.timezone
    span = _span(request, tx.now)
    _check(request, metric, span)
    points_max = GROUPED_POINTS_MAX if request.group_by else POINTS_MAX
    bounds = lay_out(span, request.granularity, timezone, points_max=points_max)
    rows = await series_store.load_series(
        tx,
        metric_id=metric.id,
        customer_id=customer_id,
        bounds=bounds,
        broken_hours=broken_hours(bounds),
        group_by=request.group_by,
    )
    if rows and rows[0]["counted_count"] > series_store.EVENTS_COUNTED_MAX:
        raise _too_many(request)
    return Series(metric, customer_id, timezone, _points(bounds, rows, request.group_by))


async def _metric(tx: Transaction, reference: str) -> Metric:
    metric_id = parse_id(reference)
    try:
        if metric_id is None:
            raise not_found("metric")
        return await catalog.get_metric(tx, metric_id)
    except DomainError as error:
        raise _naming("metric_id", error) from error


async def _customer(tx: Transaction, reference: str | None) -> CustomerId | None:
    if reference is None:
        return None
    try:
        return (await customers.get(tx, reference)).id
    except DomainError as error:
        raise _naming("customer_id", error) from error


def _naming(field: str, error: DomainError) -> DomainError:
    return DomainError(error.kind, error.code, error.message, fields={field: error.message})


def _span(request: SeriesRequest, now: datetime) -> Period:
    faults = {
        field: f"must lie from {_FIRST.year} to {_LAST.year - 1}"
        for field, instant in (("from", request.start), ("to", request.end))
        if instant is not None and not _FIRST <= instant < _LAST
    }
    if faults:
        raise invalid(faults)
    end = request.end or now
    start = request.start or end - SPANS[request.granularity]
    if end <= start:
        raise invalid({"to": "must lie after from"})
    return Period(start, end)


def _check(request: SeriesRequest, metric: Metric, span: Period) -> None:
    """Raise invalid for what could not be read, or would not add up."""
    definition = metric.definition
    is_additive = definition.aggregation in catalog.ADDITIVE
    faults: dict[str, str] = {}
    if request.customer is None and not is_additive:
        faults["customer_id"] = f"is required for {definition.aggregation.value}"
    if request.group_by and not is_additive:
        faults["group_by"] = "is possible for count and sum only"
    elif request.group_by not in {"", definition.group_by}:
        if request.customer is None:
            faults["customer_id"] = "is required, unless group_by is the metric's own"
        if span.end - span.start > REGROUPED_SPAN_MAX:
            days = REGROUPED_SPAN_MAX.days
            faults["from"] = f"must be at most {days} days back, unless group_by is the metric's"
    if faults:
        raise invalid(faults)


def _too_many(request: SeriesRequest) -> DomainError:
    """Too many events to count one by one: of a metric that is being rebuilt, or of odd hours."""
    message = f"more than {series_store.EVENTS_COUNTED_MAX} events must be counted one by one: "
    if request.customer is None:
        return invalid({"customer_id": f"{message}name a customer, or ask again later"})
    return invalid({"from": f"{message}ask for a shorter span, or again later"})


def _points(
    bounds: Sequence[datetime], rows: Sequence[asyncpg.Record], group_by: str
) -> list[SeriesPoint]:
    of_point: dict[int, list[asyncpg.Record]] = {}
    for row in rows:
        of_point.setdefault(row["point"], []).append(row)
    return [
        _point(Period(start, end), of_point.get(number, []), is_grouped=group_by != "")
        for number, (start, end) in enumerate(pairwise(bounds), start=1)
    ]


def _point(period: Period, rows: Sequence[asyncpg.Record], *, is_grouped: bool) -> SeriesPoint:
    groups: dict[str, Decimal] = {}
    with localcontext(EXACT):
        for row in rows:
            value = OTHER if row["is_other"] else row["group_value"]
            groups[value] = groups.get(value, Decimal(0)) + quantity_of(row)
        quantity = sum(groups.values(), Decimal(0))
    return SeriesPoint(
        period=period,
        quantity=quantity,
        event_count=sum(row["event_count"] for row in rows),
        groups=groups if is_grouped else None,
    )
