"""Looks at subscriptions and wallets: which thresholds are reached, each of them once, in order."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from monigo import catalog, invoicing, metering, subscriptions, wallets
from monigo.alerts import events, states_store, store, watching_store
from monigo.alerts.rules import looked_at, reached
from monigo.alerts.types import Alert, AlertScope, AlertType, Reached
from monigo.alerts.watching_store import Watch
from monigo.core.ids import SubscriptionId, WalletId
from monigo.core.periods import Period
from monigo.infra import outbox
from monigo.infra.db import Transaction
from monigo.metering import UsageQuery
from monigo.subscriptions import Subscription
from monigo.wallets import Wallet

OF_SUBSCRIPTIONS = (AlertType.USAGE_EXCEEDED, AlertType.COST_EXCEEDED)


class _Look(Struct, frozen=True):
    """A period of a subscription, as an alert watches it."""

    alert: Alert
    subscription: Subscription
    period: Period


async def look_at_subscriptions(
    tx: Transaction, known: Sequence[Subscription], types: Collection[AlertType]
) -> None:
    """Find what subscriptions have reached in their running periods, and in those before.

    Exact for what was acknowledged before. One look of a tenant follows the other.

    Raises:
        DomainError: conflict, when a cost is more than an invoice can hold.
    """
    if not known:
        return
    await store.lock_looks(tx)
    looks = await _looks(tx, known, types)
    values = await _values(tx, looks)
    ids = {one.id for one in known}
    before = await _reached_before(tx, looks)
    found: list[Reached] = []
    watches: dict[tuple[UUID, UUID], Watch] = {}
    for look, value in zip(looks, values, strict=True):
        alert, one, period = look.alert, look.subscription, look.period
        done = before.get((alert.id, one.id, period.start), set())
        new = [step for step in reached(alert, value) if step.value not in done]
        found += [
            Reached(alert, step, value, alert.currency, one.customer_id, one.id, period)
            for step in new
        ]
        done = done | {step.value for step in new}
        ahead = [step.value for step in alert.thresholds if step.value not in done]
        # The running period comes last.
        watches[alert.id, one.id] = Watch(
            alert.id, one.id, one.customer_id, period.start, period.end, min(ahead, default=None)
        )
    await _report(tx, found)
    await watching_store.save(tx, ids, types, [watches[key] for key in sorted(watches)])
    await states_store.resolve_ended(tx, ids)


async def look_at_wallets(tx: Transaction, wallet_ids: Collection[WalletId]) -> None:
    """Find below which thresholds balances are, and which they are back at."""
    await store.lock_looks(tx)
    held = await wallets.hold(tx, wallet_ids)
    if not held:
        return
    await states_store.rearm(tx, [(one.id, one.balance) for one in held])
    still = await states_store.list_open(tx, [one.id for one in held])
    await _report(
        tx,
        [
            Reached(alert, step, one.balance, one.currency, one.customer_id, wallet_id=one.id)
            for one, alert in await _alerts_of_wallets(tx, held)
            for step in reached(alert, one.balance)
            if (alert.id, one.id, step.value) not in still
        ],
    )


async def _report(tx: Transaction, found: Sequence[Reached]) -> None:
    """Store what was reached, and report what was reached for the first time."""
    if not found:
        return
    await store.lock(tx, {one.alert.id for one in found})
    new = await states_store.insert(tx, found)
    await outbox.emit(tx, [events.triggered(state) for state in new])


async def _looks(
    tx: Transaction, known: Sequence[Subscription], types: Collection[AlertType]
) -> list[_Look]:
    """Which alerts watch which periods; of each alert and subscription the earlier one first."""
    plan_ids = {phase.plan_id for one in known for phase in (*one.past_phases, one.phase)}
    alerts = await store.list_of_scopes(
        tx,
        types,
        plan_ids=plan_ids,
        subscription_ids={one.id for one in known},
        customer_ids={one.customer_id for one in known},
    )
    by_scope: dict[UUID, list[Alert]] = {}
    for alert in alerts:
        by_scope.setdefault(alert.scope_id, []).append(alert)
    plans = await catalog.get_plans(tx, plan_ids) if alerts else {}
    return [
        _Look(alert, one, period)
        for one in known
        for scope_id in {one.id, one.customer_id, *_plans_of(one)}
        for alert in by_scope.get(scope_id, ())
        if alert.type is not AlertType.COST_EXCEEDED
        or plans[one.plan_id].details.currency == alert.currency
        for period in looked_at(one, alert, tx.now)
        if alert.scope is not AlertScope.PLAN
        or subscriptions.phase_at(one, period.start).plan_id == alert.scope_id
    ]


def _plans_of(subscription: Subscription) -> set[UUID]:
    return {phase.plan_id for phase in (*subscription.past_phases, subscription.phase)}


async def _values(tx: Transaction, looks: Sequence[_Look]) -> list[Decimal]:
    """What each period's usage or cost is now; all usage of one snapshot."""
    of_usage = [one for one in looks if one.alert.metric_id is not None]
    of_cost = [one for one in looks if one.alert.metric_id is None]
    metrics = await catalog.get_metrics(
        tx, {one.alert.metric_id for one in of_usage if one.alert.metric_id is not None}
    )
    usages = await metering.measure(
        tx,
        [
            UsageQuery(one.subscription.customer_id, metrics[one.alert.metric_id], (one.period,))
            for one in of_usage
            if one.alert.metric_id is not None
        ],
    )
    periods = list({(one.subscription.id, one.period.start): one for one in of_cost}.values())
    costs = await invoicing.costs_of(tx, [(one.subscription, one.period) for one in periods])
    cost_of = {
        (one.subscription.id, one.period.start): cost
        for one, cost in zip(periods, costs, strict=True)
    }
    quantities = iter(usages)
    return [
        cost_of[one.subscription.id, one.period.start]
        if one.alert.metric_id is None
        else next(quantities).quantity
        for one in looks
    ]


async def _reached_before(
    tx: Transaction, looks: Sequence[_Look]
) -> dict[states_store.OfPeriod, set[Decimal]]:
    if not looks:
        return {}
    return await states_store.list_of_periods(
        tx,
        {one.alert.id for one in looks},
        {one.subscription.id for one in looks},
        min(one.period.start for one in looks),
    )


async def _alerts_of_wallets(tx: Transaction, held: Sequence[Wallet]) -> list[tuple[Wallet, Alert]]:
    scopes = await watching_store.scopes_of(tx, {one.customer_id for one in held})
    every = set[UUID]().union(*scopes.values())
    alerts = await store.list_of_scopes(
        tx,
        [AlertType.WALLET_BALANCE_DROPPED],
        plan_ids=every,
        subscription_ids=every,
        customer_ids=every,
    )
    return [
        (one, alert)
        for one in held
        for alert in alerts
        if alert.scope_id in scopes[one.customer_id] and alert.currency in {"", one.currency}
    ]


async def subscriptions_by_id(
    tx: Transaction, subscription_ids: Collection[UUID]
) -> list[Subscription]:
    """Subscriptions to look at, ended and deleted ones included."""
    return await subscriptions.get_many(tx, {SubscriptionId(one) for one in subscription_ids})
