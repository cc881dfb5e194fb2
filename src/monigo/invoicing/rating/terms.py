"""What a period is priced by: agreed while it runs, frozen as its closing invoice is made.

Frozen terms refer to what never changes by its number (price revisions, metric versions) and copy
what can change (overrides, pauses, the fee).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from monigo import catalog, subscriptions
from monigo.catalog import ApplyTo, BaseFee, BillingMode, Metric, PlanHistory, PriceOverride
from monigo.core.errors import ensure
from monigo.core.ids import CustomerId, MetricId, PlanId, PriceId, SubscriptionId
from monigo.core.money import format_money
from monigo.core.periods import Period, subtract
from monigo.core.pricing import parse_price_model, price_model_json
from monigo.core.times import format_instant, parse_instant
from monigo.infra import json
from monigo.infra.db import Transaction
from monigo.invoicing.types import AgreedPrice, ClosedPeriod, RatedInvoice, Terms
from monigo.subscriptions import Subscription


@dataclass(slots=True)
class RunningTerms:
    """All that the running terms of some subscriptions follow from."""

    histories: Mapping[PlanId, PlanHistory]
    overrides: Mapping[CustomerId, tuple[PriceOverride, ...]]
    metrics: Mapping[MetricId, Metric]
    pauses: Mapping[SubscriptionId, Sequence[Period]]
    # By plan and applicable revisions, what all who have them agreed to; most have the same.
    _common: dict[tuple[PlanId, tuple[int, ...]], Terms] = field(
        default_factory=dict[tuple[PlanId, tuple[int, ...]], Terms], init=False
    )

    def currency(self, subscription: Subscription) -> str:
        """The currency of all of a subscription's invoices."""
        return self.histories[subscription.plan_id].details.currency

    def billing_mode(self, subscription: Subscription, period: Period) -> BillingMode:
        """When a period's usage is paid for."""
        phase = subscriptions.phase_at(subscription, period.start)
        return self.histories[phase.plan_id].details.billing_mode

    def may_take_fee_in_advance(self, subscription: Subscription, instant: datetime) -> bool:
        """Whether the plan of an instant takes its fee in advance under any of its revisions."""
        phase = subscriptions.phase_at(subscription, instant)
        revisions = self.histories[phase.plan_id].revisions
        return any(revision.base_fee.in_advance for revision in revisions)

    def terms(self, subscription: Subscription, period: Period) -> Terms:
        """The terms of a period as they stand now."""
        phase = subscriptions.phase_at(subscription, period.start)
        applicable = catalog.applicable_revisions(
            self.histories[phase.plan_id],
            period=period,
            subscribed_at=phase.agreed_at,
            subscribed_to=phase.agreed_revision,
        )
        common = self._common.get((phase.plan_id, applicable))
        if common is None:
            common = self._common[phase.plan_id, applicable] = self._agreed(
                phase.plan_id, applicable
            )
        overrides = self.overrides.get(subscription.customer_id)
        return Terms(
            plan_id=common.plan_id,
            plan_revision=common.plan_revision,
            base_fee=common.base_fee,
            base_fee_revision=common.base_fee_revision,
            windows=subtract(period, self.pauses.get(subscription.id, ())),
            prices=_overridden(common, overrides, period) if overrides else common.prices,
        )

    def terms_before(self, subscription: Subscription, windows: tuple[Period, ...]) -> Terms | None:
        """What payout rules pay for what happened before a subscription; None without rules.

        Those that stood as it was made, under the edits for all from before it began: they end what
        a rule said before. Later ones don't count for what came before it.
        """
        first = (*subscription.past_phases, subscription.phase)[0]
        history = self.histories[first.plan_id]
        agreed = self._agreed(
            first.plan_id,
            tuple(
                revision.revision
                for revision in history.revisions
                if revision.revision <= first.agreed_revision
                or (
                    revision.apply_to is ApplyTo.ALL
                    and revision.effective_at < subscription.start_date
                )
            ),
        )
        rules = tuple(price for price in agreed.prices if price.metric.definition.is_rule)
        return replace(agreed, windows=windows, prices=rules) if rules else None

    def _agreed(self, plan_id: PlanId, applicable: tuple[int, ...]) -> Terms:
        """What holds for a period to which these revisions apply, without pauses and overrides."""
        agreed = catalog.agreed_terms(self.histories[plan_id], applicable)
        return Terms(
            plan_id=plan_id,
            plan_revision=agreed.plan_revision,
            base_fee=agreed.base_fee,
            base_fee_revision=agreed.base_fee_revision,
            windows=(),
            prices=tuple(
                AgreedPrice(
                    price_id=price.id,
                    revision=price.revision,
                    charge=price.terms.charge,
                    metric=self.metrics[price.terms.metric_id],
                )
                for price in agreed.prices
            ),
        )


async def load_running_terms(tx: Transaction, known: Sequence[Subscription]) -> RunningTerms:
    """What the running terms of these subscriptions follow from, in a handful of queries."""
    plan_ids = {phase.plan_id for item in known for phase in (*item.past_phases, item.phase)}
    histories = await catalog.get_histories(tx, plan_ids)
    ensure(plan_ids <= histories.keys(), "a subscription's plans exist")
    return RunningTerms(
        histories=histories,
        overrides=await catalog.overrides_of(tx, {item.customer_id for item in known}),
        metrics=await catalog.get_metrics(tx, _metric_ids(histories.values())),
        pauses=await subscriptions.load_pauses(tx, [item.id for item in known]),
    )


def serialize_terms(rated: RatedInvoice) -> str:
    """An invoice's terms as JSON, to be kept with it; those of other periods that it bills, too."""
    frozen = _frozen(rated.terms)
    if rated.other_terms:
        frozen["others"] = [
            {"period": _frozen_window(period), **_frozen(terms)}
            for period, terms in rated.other_terms
        ]
    return json.encode(frozen)


async def load_closed_terms(tx: Transaction, closed: Sequence[ClosedPeriod]) -> list[Terms]:
    """The terms of closed periods; after a replay under the metrics that it found."""
    loaded = await _read_all(tx, [json.decode(item.frozen_terms) for item in closed])
    recounts = [recount for item in closed for recount in item.remeasured.values()]
    if not recounts:
        return loaded
    versions = await catalog.get_metric_versions(
        tx, {known for recount in recounts for known in recount.versions.items()}
    )
    metric_ids = {price.metric.id for terms in loaded for price in terms.prices}
    metrics_at = {
        instant: await catalog.metric_versions_at(tx, metric_ids, instant)
        for instant in {recount.at for recount in recounts if not recount.versions}
    }
    return [
        _remeasured(terms, _remeasuring(item, versions, metrics_at))
        for item, terms in zip(closed, loaded, strict=True)
    ]


async def load_invoice_terms(
    tx: Transaction, frozen_terms: str
) -> tuple[Terms, tuple[tuple[Period, Terms], ...]]:
    """The terms kept with an invoice: its own period's, and those of the others that it bills."""
    frozen = json.decode(frozen_terms)
    others: list[dict[str, Any]] = frozen.get("others", [])
    own, *loaded = await _read_all(tx, [frozen, *others])
    periods = [_read_window(one["period"]) for one in others]
    return own, tuple(zip(periods, loaded, strict=True))


async def _read_all(tx: Transaction, frozen: Sequence[Mapping[str, Any]]) -> list[Terms]:
    histories = await catalog.get_histories(tx, {PlanId(UUID(one["plan_id"])) for one in frozen})
    versions = await catalog.get_metric_versions(
        tx,
        {
            (MetricId(UUID(price["metric_id"])), price["metric_version"])
            for one in frozen
            for price in one["prices"]
        },
    )
    return [_read_terms(one, histories, versions) for one in frozen]


def _frozen(terms: Terms) -> dict[str, Any]:
    return {
        "plan_id": str(terms.plan_id),
        "plan_revision": terms.plan_revision,
        "base_fee": format_money(terms.base_fee.amount),
        "in_advance": terms.base_fee.in_advance,
        "base_fee_revision": terms.base_fee_revision,
        "windows": [_frozen_window(window) for window in terms.windows],
        "prices": [_frozen_price(price) for price in terms.prices],
    }


def _frozen_window(window: Period) -> list[str]:
    return [format_instant(window.start), format_instant(window.end)]


def _read_window(frozen: Sequence[str]) -> Period:
    start, end = frozen
    return Period(parse_instant(start), parse_instant(end))


def _metric_ids(histories: Iterable[PlanHistory]) -> set[MetricId]:
    return {
        revision.price.terms.metric_id
        for history in histories
        for revision in history.price_revisions
    }


def _overridden(
    terms: Terms, overrides: Sequence[PriceOverride], period: Period
) -> tuple[AgreedPrice, ...]:
    """The prices as one customer pays them."""
    return tuple(
        price
        if (override := catalog.override_for(overrides, price.price_id, period)) is None
        else replace(
            price,
            charge=catalog.charge_under(price.charge, override),
            override_id=override.id,
            override_model=override.model_name,
        )
        for price in terms.prices
    )


def _frozen_price(price: AgreedPrice) -> dict[str, Any]:
    frozen: dict[str, Any] = {
        "price_id": str(price.price_id),
        "revision": price.revision,
        "metric_id": str(price.metric.id),
        "metric_version": price.metric.version,
    }
    if price.override_id is not None:
        unit_price, tiers = price_model_json(price.charge.model)
        frozen["override"] = {
            "id": str(price.override_id),
            "model": price.override_model,
            "unit_price": unit_price,
            "tiers": tiers,
        }
    return frozen


def _read_terms(
    frozen: Mapping[str, Any],
    histories: Mapping[PlanId, PlanHistory],
    versions: Mapping[tuple[MetricId, int], Metric],
) -> Terms:
    plan_id = PlanId(UUID(frozen["plan_id"]))
    charges = {
        (revision.price.id, revision.price.revision): revision.price.terms.charge
        for revision in histories[plan_id].price_revisions
    }
    prices: list[AgreedPrice] = []
    for one in frozen["prices"]:
        key = (PriceId(UUID(one["price_id"])), one["revision"])
        charge, override = charges[key], one.get("override")
        if override is not None:
            model = parse_price_model(
                model=override["model"],
                unit_price=override["unit_price"],
                tiers=override["tiers"],
                path="override",
            )
            charge = replace(charge, model=model)
        prices.append(
            AgreedPrice(
                price_id=key[0],
                revision=key[1],
                charge=charge,
                metric=versions[MetricId(UUID(one["metric_id"])), one["metric_version"]],
                override_id=None if override is None else UUID(override["id"]),
                override_model="" if override is None else override["model"],
            )
        )
    return Terms(
        plan_id=plan_id,
        plan_revision=frozen["plan_revision"],
        base_fee=BaseFee(Decimal(frozen["base_fee"]), frozen["in_advance"]),
        # Terms that were frozen before it was kept have the fee of their latest revision.
        base_fee_revision=frozen.get("base_fee_revision", frozen["plan_revision"]),
        windows=tuple(_read_window(window) for window in frozen["windows"]),
        prices=tuple(prices),
    )


def _remeasuring(
    closed: ClosedPeriod,
    versions: Mapping[tuple[MetricId, int], Metric],
    metrics_at: Mapping[datetime, Mapping[MetricId, Metric]],
) -> dict[str, Mapping[MetricId, Metric]]:
    """The metrics of a replay, by the name of the replayed events."""
    return {
        name: {known[0]: versions[known] for known in recount.versions.items()}
        or metrics_at.get(recount.at, {})
        for name, recount in closed.remeasured.items()
    }


def _remeasured(terms: Terms, metrics: Mapping[str, Mapping[MetricId, Metric]]) -> Terms:
    """The terms with each metric as the last replay found it that counted its events.

    That is the one with the latest version: versions only rise.
    """
    prices: list[AgreedPrice] = []
    for price in terms.prices:
        found = [metrics.get(name, {}) for name in ("", price.metric.definition.event_name)]
        counted_by = [known[price.metric.id] for known in found if price.metric.id in known]
        metric = max([price.metric, *counted_by], key=lambda metric: metric.version)
        prices.append(replace(price, metric=metric))
    return replace(terms, prices=tuple(prices))
