"""Use cases of alerts: set them up, read them, and acknowledge what was reached."""

from collections.abc import Awaitable, Sequence
from typing import TypeVar
from uuid import UUID

from msgspec.structs import replace

from monigo import catalog, customers, metering, subscriptions, tenancy, wallets
from monigo.alerts import events, states_store, store, watching_store
from monigo.alerts.due import ALERT_LOOK
from monigo.alerts.rules import check_alert, check_thresholds
from monigo.alerts.states_store import Matching
from monigo.alerts.types import (
    Alert,
    AlertFilter,
    AlertScope,
    AlertState,
    AlertType,
    NewAlert,
    StateFilter,
    StateStatus,
    Summary,
    Threshold,
)
from monigo.core.errors import DomainError, conflict, invalid, not_found
from monigo.core.ids import AlertId, AlertStateId, PlanId, parse_id
from monigo.core.paging import Page, PageRequest
from monigo.infra import agenda, outbox
from monigo.infra.db import RowLock, Transaction
from monigo.infra.ids import new_id
from monigo.metering import Watcher

# As many as anybody can look through; each look reads those of its scope only.
ALERTS_MAX = 10_000
# What one request acknowledges: a fact for each.
ACKNOWLEDGED_AT_ONCE_MAX = 10_000

Found = TypeVar("Found")


async def create(tx: Transaction, wanted: NewAlert) -> Alert:
    """Make an alert, which counts from now on, with what is used in running periods already.

    The currency of a cost is the plan's, where a plan or subscription is the scope.

    Raises:
        DomainError: not_found (scope_id, metric_id, naming the field); invalid; conflict, when
            there is one of the same type, scope and metric, or when there are too many.
    """
    check_alert(wanted)
    scope_id, currency = await _scope(tx, wanted)
    if wanted.metric_id:
        await _named("metric_id", _metric(tx, wanted.metric_id))
    await store.lock_settings(tx)
    if await store.count(tx) >= ALERTS_MAX:
        raise conflict("too_many_alerts", f"there are {ALERTS_MAX} alerts already")
    alert_id = AlertId(new_id())
    await store.insert(tx, alert_id, replace(wanted, currency=currency), scope_id)
    return await _changed(tx, None, alert_id)


async def get(tx: Transaction, alert_id: UUID) -> Alert:
    """One alert. Raises not_found."""
    return _found(await store.load(tx, alert_id), "alert")


async def list_page(tx: Transaction, request: PageRequest, wanted: AlertFilter) -> Page[Alert]:
    """Alerts that match, newest first; none for an unknown customer, subscription or plan."""
    nobody: Page[Alert] = Page([], 0, request.offset)
    customer_id = None
    if wanted.customer is not None:
        customer_id = (await customers.resolve(tx, [wanted.customer])).get(wanted.customer)
        if customer_id is None:
            return nobody
    ids: list[UUID | None] = [customer_id]
    for named in (wanted.subscription, wanted.plan):
        ids.append(None if named is None else parse_id(named))
        if named is not None and ids[-1] is None:
            return nobody
    return await store.list_page(tx, request, wanted, (ids[0], ids[1], ids[2]))


async def set_thresholds(tx: Transaction, alert_id: UUID, thresholds: Sequence[Threshold]) -> Alert:
    """Give an alert other thresholds; a value that was reached in this period stays so.

    Raises:
        DomainError: not_found; invalid.
    """
    alert = await _locked(tx, alert_id)
    check_thresholds(alert.type, thresholds)
    await store.replace_thresholds(tx, alert.id, thresholds)
    await store.update(tx, replace(alert, updated_at=tx.now))
    return await _changed(tx, alert, alert.id)


async def enable(tx: Transaction, alert_id: UUID, *, wanted: bool) -> Alert:
    """Have an alert watch again, or not; periods that end while it is disabled don't count.

    Raises:
        DomainError: not_found.
    """
    await store.lock_settings(tx)
    alert = await _locked(tx, alert_id)
    if alert.is_enabled is wanted:
        return alert
    armed_at = tx.now if wanted else alert.armed_at
    await store.update(tx, replace(alert, is_enabled=wanted, armed_at=armed_at, updated_at=tx.now))
    return await _changed(tx, alert, alert.id)


async def delete(tx: Transaction, alert_id: UUID) -> None:
    """Hide an alert; what it found stays. Raises not_found."""
    await store.lock_settings(tx)
    alert = await _locked(tx, alert_id)
    await store.update(tx, replace(alert, updated_at=tx.now), is_deleted=True)
    await watching_store.forget(tx, alert.id)
    await _watch(tx)
    tx.changed(alert, None)


async def acknowledge(tx: Transaction, alert_id: UUID) -> Alert:
    """Note that somebody has seen all that an alert has triggered. Raises not_found."""
    alert = await _locked(tx, alert_id)
    states = await states_store.load_triggered(tx, alert.id, ACKNOWLEDGED_AT_ONCE_MAX)
    await _acknowledge(tx, states)
    after = await get(tx, alert.id)
    tx.changed(alert, after)
    return after


async def acknowledge_state(tx: Transaction, state_id: UUID) -> AlertState:
    """Note that somebody has seen one threshold that was reached; once is enough.

    Raises:
        DomainError: not_found.
    """
    seen = await _state(tx, state_id)
    await store.lock(tx, [seen.alert_id])
    state = await _state(tx, state_id)
    if state.status is StateStatus.ACKNOWLEDGED:
        return state
    await _acknowledge(tx, [state])
    after = await _state(tx, state_id)
    tx.changed(state, after)
    return after


async def list_states(
    tx: Transaction, request: PageRequest, wanted: StateFilter
) -> Page[AlertState]:
    """Thresholds that were reached, newest first; none for an unknown customer.

    Raises:
        DomainError: invalid, when the span is empty.
    """
    if wanted.start and wanted.end and wanted.end <= wanted.start:
        raise invalid({"date_to": "must lie after date_from"})
    customer_id = None
    if wanted.customer is not None:
        customer_id = (await customers.resolve(tx, [wanted.customer])).get(wanted.customer)
        if customer_id is None:
            return Page([], 0, request.offset)
    return await states_store.list_page(tx, request, Matching(wanted, customer_id))


async def summarize(tx: Transaction) -> Summary:
    """How many thresholds were reached, by where they stand."""
    return await states_store.summarize(tx)


async def _changed(tx: Transaction, before: Alert | None, alert_id: AlertId) -> Alert:
    """An alert as it stands after a change, which is noted; it is looked at soon."""
    await _watch(tx)
    alert = await get(tx, alert_id)
    if alert.is_enabled:
        await agenda.put(tx, ALERT_LOOK, {alert.id: tx.now})
    else:
        await watching_store.forget(tx, alert.id)
    tx.changed(before, alert)
    return alert


async def _watch(tx: Transaction) -> None:
    """Have folds and movements note what the tenant's alerts watch, and nothing else."""
    types = await store.enabled_types(tx)
    await metering.watch_usage(tx, Watcher.USAGE, wanted=AlertType.USAGE_EXCEEDED in types)
    await metering.watch_usage(tx, Watcher.COST, wanted=AlertType.COST_EXCEEDED in types)
    await wallets.watch_balances(tx, wanted=AlertType.WALLET_BALANCE_DROPPED in types)


async def _acknowledge(tx: Transaction, states: Sequence[AlertState]) -> None:
    """Acknowledge states of a locked alert."""
    if not states:
        return
    ids = [state.id for state in states]
    await states_store.acknowledge(tx, ids, str(tx.principal))
    await outbox.emit(tx, [events.acknowledged(state) for state in states])


async def _scope(tx: Transaction, wanted: NewAlert) -> tuple[UUID, str]:
    """Whom the alert is of, and in which currency."""
    if wanted.currency and not tenancy.is_currency(wanted.currency):
        raise invalid({"currency": "must be an ISO 4217 currency code such as NGN"})
    if wanted.scope is AlertScope.CUSTOMER:
        found = await _named("scope_id", customers.get(tx, wanted.scope_id, lock=RowLock.CHANGE))
        if wanted.type is AlertType.COST_EXCEEDED and not wanted.currency:
            raise invalid({"currency": "is required for the cost of a customer"})
        return found.id, wanted.currency
    scope_id, plan_id = await _named("scope_id", _plan_of(tx, wanted))
    if wanted.type is not AlertType.COST_EXCEEDED:
        return scope_id, wanted.currency
    plan = (await catalog.get_plans(tx, [plan_id]))[plan_id]
    if wanted.currency not in {"", plan.details.currency}:
        raise invalid({"currency": f"the plan's is {plan.details.currency}"})
    return scope_id, plan.details.currency


async def _plan_of(tx: Transaction, wanted: NewAlert) -> tuple[UUID, PlanId]:
    """The id of the plan or subscription that is watched, and the plan."""
    scope_id = parse_id(wanted.scope_id)
    if scope_id is None:
        raise not_found(wanted.scope.value)
    if wanted.scope is AlertScope.PLAN:
        plan = await catalog.get_plan(tx, scope_id)
        return plan.id, plan.id
    subscription = await subscriptions.get(tx, scope_id)
    return subscription.id, subscription.plan_id


async def _metric(tx: Transaction, reference: str) -> None:
    metric_id = parse_id(reference)
    metric = None if metric_id is None else await catalog.find_metric(tx, metric_id)
    if metric is None or metric.definition.is_rule:
        raise not_found("metric")


async def _named(field: str, lookup: Awaitable[Found]) -> Found:
    """What a field names. Raises not_found, naming the field."""
    try:
        return await lookup
    except DomainError as error:
        fields = {field: error.message}
        raise DomainError(error.kind, error.code, error.message, fields=fields) from error


async def _locked(tx: Transaction, alert_id: UUID) -> Alert:
    await store.lock(tx, [alert_id])
    return await get(tx, alert_id)


async def _state(tx: Transaction, state_id: UUID) -> AlertState:
    found = await states_store.load(tx, [AlertStateId(state_id)])
    return _found(found[0] if found else None, "alert_state")


def _found(thing: Found | None, what: str) -> Found:
    if thing is None:
        raise not_found(what)
    return thing
