"""Usage per billing period: metering's sums, laid out on the subscriptions' periods."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice

from msgspec import Struct

from monigo import catalog, customers, metering, tenancy
from monigo.catalog import Metric, Plan
from monigo.core.errors import DomainError, invalid
from monigo.core.ids import CustomerId, MetricId, PlanId, SubscriptionId, parse_id
from monigo.core.paging import PAGE_LIMIT_MAX, PageRequest
from monigo.core.periods import Period, calendar_month, subtract
from monigo.infra.db import Transaction
from monigo.metering import CustomerActivity, UsageQuery
from monigo.subscriptions import store
from monigo.subscriptions.pauses import load_pauses
from monigo.subscriptions.rules import period_containing, periods_between
from monigo.subscriptions.types import Subscription
from monigo.subscriptions.usage.types import UsageFilter, UsageRollup
from monigo.tenancy import Organization

# One answer's rollups; a wider question is asked in parts.
ROLLUPS_MAX = 10_000
# Some milliseconds of laying out and adding up; meanwhile nothing else has its turn.
ROLLUPS_AT_ONCE = 50
# How far back a period that contains now may have begun: a year, or a trial of two.
PERIOD_LENGTH_MAX = timedelta(days=732)
# Without `from`, this much before `to`.
SPAN_DEFAULT = timedelta(days=366)
# Beyond the hour that an event may be ahead; no period that starts later has any event.
AHEAD_MAX = timedelta(days=1)


class _Wanted(Struct, frozen=True):
    customer_id: CustomerId
    metric: Metric
    period: Period
    billable: tuple[Period, ...]


async def read_usage(tx: Transaction, wanted: UsageFilter) -> list[UsageRollup]:
    """One rollup per customer, metric and billing period that has events.

    Without `start` and `end`, the periods that contain now. Customers without a subscription get
    calendar months in the organisation's time zone. Read a few at a time, each exact at its moment.

    Raises:
        DomainError: invalid, when the question holds too many periods for one answer.
    """
    if wanted.start and wanted.end and wanted.end <= wanted.start:
        raise invalid({"to": "must lie after from"})
    customer_id = None
    if wanted.customer is not None:
        customer_id = (await customers.resolve(tx, [wanted.customer])).get(wanted.customer)
        if customer_id is None:
            return []
    metrics = await _metrics(tx, wanted.metric)
    span = None
    if wanted.start is not None or wanted.end is not None:
        span = _span(wanted, await tenancy.get_organization(tx), tx.now)
        if span is None:
            return []
    asked, rollups = 0, list[UsageRollup]()
    async for activity in metering.list_activity(
        tx,
        span=Period(
            tx.now - PERIOD_LENGTH_MAX if span is None else span.start,
            (tx.now if span is None else span.end) + PERIOD_LENGTH_MAX,
        ),
        metric_ids=list(metrics),
        customer_id=customer_id,
        limit=ROLLUPS_MAX + 1,
    ):
        laid_out = (await _Layout.load(tx, activity)).lay_out_all(tx, activity, metrics, span)
        while some := list(islice(laid_out, ROLLUPS_AT_ONCE)):
            asked += len(some)
            if asked > ROLLUPS_MAX:
                raise _too_many(span)
            rollups += [one for one in await _measure(tx, some) if one.usage.event_count]
    return rollups


def _too_many(span: Period | None) -> DomainError:
    narrower = "name a customer or a metric"
    if span is None:
        return invalid({"customer_id": f"more than {ROLLUPS_MAX} rollups: {narrower}"})
    return invalid({"from": f"more than {ROLLUPS_MAX} rollups: ask for less time, or {narrower}"})


async def _metrics(tx: Transaction, wanted: str | None) -> dict[MetricId, Metric]:
    if wanted is None:
        page = await catalog.list_metrics(tx, PageRequest(PAGE_LIMIT_MAX, 0))
        return {metric.id: metric for metric in page.items}
    wanted_id = parse_id(wanted)
    metric = None if wanted_id is None else await catalog.find_metric(tx, wanted_id)
    return {} if metric is None else {metric.id: metric}


def _span(wanted: UsageFilter, organization: Organization, now: datetime) -> Period | None:
    """The part of the span asked for in which events can be; None where there is none.

    Without the bounds, a question "until 9999" would lay out millions of empty periods.
    """
    first = organization.created_at - metering.AGE_MAX - PERIOD_LENGTH_MAX
    last = now + AHEAD_MAX
    end = last if wanted.end is None else max(first, min(wanted.end, last))
    start = max(first, wanted.start or end - SPAN_DEFAULT)
    return Period(start, end) if start < end else None


class _Layout(Struct, frozen=True):
    """What decides each customer's periods."""

    timezone: str
    subscriptions: dict[CustomerId, list[Subscription]]
    plans: dict[PlanId, Plan]
    pauses: dict[SubscriptionId, list[Period]]

    @classmethod
    async def load(cls, tx: Transaction, activity: Sequence[CustomerActivity]) -> "_Layout":
        customer_ids = list({item.customer_id for item in activity})
        by_customer: dict[CustomerId, list[Subscription]] = {known: [] for known in customer_ids}
        subscriptions = await store.list_of_customers(tx, customer_ids)
        for subscription in subscriptions:
            by_customer[subscription.customer_id].append(subscription)
        return cls(
            timezone=(await tenancy.get_organization(tx)).billing.timezone,
            subscriptions=by_customer,
            plans=await catalog.get_plans(tx, {known.plan_id for known in subscriptions}),
            pauses=await load_pauses(tx, [known.id for known in subscriptions]),
        )

    def lay_out_all(
        self,
        tx: Transaction,
        activity: Sequence[CustomerActivity],
        metrics: Mapping[MetricId, Metric],
        span: Period | None,
    ) -> Iterator[_Wanted]:
        """As `lay_out`, for these customers and metrics."""
        for item in activity:
            yield from self.lay_out(tx, item.customer_id, metrics[item.metric_id], span)

    def lay_out(
        self, tx: Transaction, customer_id: CustomerId, metric: Metric, span: Period | None
    ) -> Iterator[_Wanted]:
        """The periods of one customer and metric: those in the span, or the present one."""
        taken: set[object] = set()
        for subscription in self._candidates(customer_id, metric):
            for period in _periods(subscription, tx, span):
                if period.start in taken:
                    continue
                taken.add(period.start)
                billable = subtract(period, self.pauses[subscription.id])
                yield _Wanted(customer_id, metric, period, billable)
            if span is None and taken:
                return
        if not taken:
            for month in _months(self.timezone, tx, span):
                yield _Wanted(customer_id, metric, month, (month,))

    def _candidates(self, customer_id: CustomerId, metric: Metric) -> list[Subscription]:
        """The subscriptions that price the metric, else all of the customer's."""
        every = self.subscriptions[customer_id]
        pricing = [
            subscription
            for subscription in every
            if any(
                price.terms.metric_id == metric.id
                for price in self.plans[subscription.plan_id].prices
            )
        ]
        return pricing or every


def _periods(subscription: Subscription, tx: Transaction, span: Period | None) -> Iterable[Period]:
    if span is not None:
        return periods_between(subscription, span.start, span.end)
    period = period_containing(subscription, tx.now)
    return [period] if period is not None and period.contains(tx.now) else []


def _months(timezone: str, tx: Transaction, span: Period | None) -> Iterator[Period]:
    if span is None:
        yield calendar_month(tx.now, timezone)
        return
    instant = span.start
    while instant < span.end:
        month = calendar_month(instant, timezone)
        if span.start <= month.start < span.end:
            yield month
        instant = month.end


async def _measure(tx: Transaction, wanted: Sequence[_Wanted]) -> list[UsageRollup]:
    """Measure all at once: every period whole, and those with pauses once more without them."""
    paused = [item for item in wanted if item.billable != (item.period,)]
    usages = await metering.measure(
        tx,
        [_query(item, (item.period,)) for item in wanted]
        + [_query(item, item.billable) for item in paused],
    )
    whole, without_pauses = usages[: len(wanted)], iter(usages[len(wanted) :])
    return [
        UsageRollup(
            customer_id=item.customer_id,
            metric_id=item.metric.id,
            period=item.period,
            aggregation=item.metric.definition.aggregation.value,
            usage=usage,
            billable=usage if item.billable == (item.period,) else next(without_pauses),
        )
        for item, usage in zip(wanted, whole, strict=True)
    ]


def _query(item: _Wanted, windows: tuple[Period, ...]) -> UsageQuery:
    return UsageQuery(item.customer_id, item.metric, windows)
