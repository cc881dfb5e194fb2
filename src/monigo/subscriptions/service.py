"""Use cases of subscriptions."""

from collections.abc import Awaitable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from msgspec.structs import replace

from monigo import catalog, customers, tenancy
from monigo.core.errors import DomainError, conflict, invalid, not_found
from monigo.core.ids import CustomerId, PlanId, SubscriptionId, parse_id
from monigo.core.paging import Page, PageRequest
from monigo.core.periods import Period, days_later, period_at, subtract
from monigo.infra import outbox
from monigo.infra.database import RowLock, Transaction
from monigo.infra.ids import new_id
from monigo.infra.outbox import EventType, OutboxEvent
from monigo.subscriptions import due_store, store
from monigo.subscriptions.due import note_due
from monigo.subscriptions.rules import (
    check_can_cancel,
    check_can_change_plan,
    check_can_pause,
    check_can_resume,
    check_dates,
    schedule_of,
)
from monigo.subscriptions.types import (
    Happening,
    NewSubscription,
    PauseReason,
    Phase,
    Status,
    Subscription,
    SubscriptionFilter,
    TimelineEntry,
)

Found = TypeVar("Found")

# The shortest time there is.
INSTANT = timedelta(microseconds=1)


async def create(tx: Transaction, wanted: NewSubscription) -> Subscription:
    """Put a customer on a plan, in the organisation's time zone of today.

    Raises:
        DomainError: not_found (customer, plan, naming the field); invalid dates; conflict, when
            the customer has an active subscription of the plan's type.
    """
    customer = await _named("customer_id", customers.get(tx, wanted.customer, lock=RowLock.KEEP))
    plan_id = parse_id(wanted.plan)
    if plan_id is None:
        raise _missing("plan_id", not_found("plan"))
    plan = await _named("plan_id", catalog.hold_plan(tx, plan_id))
    organization = await tenancy.get_organization(tx)
    start = wanted.start_date or tx.now
    check_dates(start=start, end=wanted.end_date, now=tx.now)
    trial_days = plan.details.trial_period_days
    trial_ends_at = days_later(start, trial_days, organization.timezone) if trial_days else None
    subscription = Subscription(
        id=SubscriptionId(new_id()),
        customer_id=customer.id,
        phase=Phase(
            plan_id=plan.id,
            billing_period=plan.details.billing_period,
            anchor_at=trial_ends_at or start,
            started_at=start,
            joined_at=tx.now,
        ),
        past_phases=(),
        plan_type=plan.details.plan_type,
        status=Status.ACTIVE,
        pause_reason=None,
        timezone=organization.timezone,
        billing_anchor=wanted.billing_anchor,
        start_date=start,
        end_date=wanted.end_date,
        trial_ends_at=trial_ends_at,
        cancel_at_period_end=False,
        canceled_at=None,
        closed_until=start,
        recheck_from=None,
        settled_at=tx.real_now,
        billing_error="",
        created_at=tx.now,
        updated_at=tx.now,
    )
    # Raises where periods can't be laid out as asked.
    period_at(schedule_of(subscription, subscription.phase), 0)
    await store.insert(tx, subscription)
    await note_due(tx, [subscription])
    await due_store.append_to_timeline(tx, subscription.id, Happening.CREATED, str(plan.id))
    await _tell(tx, EventType.SUBSCRIPTION_CREATED, subscription)
    return subscription


async def get(tx: Transaction, subscription_id: UUID, *, for_update: bool = False) -> Subscription:
    """One subscription. Raises not_found."""
    subscription = await store.load(tx, subscription_id, for_update=for_update)
    if subscription is None:
        raise not_found("subscription")
    return subscription


async def hold(tx: Transaction, subscription_id: SubscriptionId) -> Subscription:
    """A known subscription, deleted or not, locked until the transaction ends."""
    held = await store.lock_ever(tx, [subscription_id])
    if not held:
        raise not_found("subscription")
    return held[0]


async def hold_free(
    tx: Transaction, customer_ids: Sequence[CustomerId]
) -> tuple[list[Subscription], set[CustomerId]]:
    """These customers' active subscriptions, locked in the order of their ids; and who is busy.

    Those that somebody else holds are left out; their customers are the busy ones.
    """
    active = await due_store.list_active_of_customers(tx, customer_ids)
    held = await store.lock_ever(tx, list(active), skip_locked=True)
    busy = active.keys() - {known.id for known in held}
    return [known for known in held if known.status is Status.ACTIVE], {
        active[subscription_id] for subscription_id in busy
    }


async def list_page(
    tx: Transaction, request: PageRequest, wanted: SubscriptionFilter
) -> Page[Subscription]:
    """Subscriptions that match, newest first; none for an unknown customer or plan."""
    nobody: Page[Subscription] = Page([], 0, request.offset)
    customer_id = None
    if wanted.customer is not None:
        customer_id = (await customers.resolve(tx, [wanted.customer])).get(wanted.customer)
        if customer_id is None:
            return nobody
    plan_id = None
    if wanted.plan is not None and (plan_id := parse_id(wanted.plan)) is None:
        return nobody
    return await store.list_page(
        tx, request, customer_id=customer_id, plan_id=plan_id, status=wanted.status
    )


async def of_customers(tx: Transaction, customer_ids: Iterable[CustomerId]) -> list[Subscription]:
    """All subscriptions of these customers, ended and deleted ones included."""
    return await store.list_of_customers(tx, list(customer_ids))


async def timeline(tx: Transaction, subscription_id: UUID) -> list[TimelineEntry]:
    """What happened to a subscription, in order. Raises not_found."""
    subscription = await get(tx, subscription_id)
    return await due_store.load_timeline(tx, subscription.id)


async def pause(tx: Transaction, subscription_id: UUID) -> Subscription:
    """Stop billing until resumed: events are kept, what is used meanwhile is not billed.

    Raises:
        DomainError: not_found; conflict, unless active.
    """
    subscription = await get(tx, subscription_id, for_update=True)
    check_can_pause(subscription)
    reason = PauseReason.MERCHANT
    await store.open_pause(tx, subscription.id, reason, tx.now)
    await due_store.append_to_timeline(tx, subscription.id, Happening.PAUSED, reason.value)
    paused = await save(tx, replace(subscription, status=Status.PAUSED, pause_reason=reason))
    await _tell(tx, EventType.SUBSCRIPTION_PAUSED, paused)
    return paused


async def resume(tx: Transaction, subscription: Subscription) -> Subscription:
    """Lift the merchant's pause of a locked subscription; an active one stays as it is.

    What was used before the pause is the caller's to bill.

    Raises:
        DomainError: conflict, when canceled, or when another one took its place.
    """
    if subscription.status is Status.ACTIVE:
        return subscription
    check_can_resume(subscription)
    return await lift_pause(tx, subscription)


async def pause_for_balance(
    tx: Transaction, subscription: Subscription, *, is_realtime: bool
) -> Subscription:
    """Pause a locked subscription from now on because its customer's wallet has too little.

    One that is paused for that already stays so. A credit that suffices lifts it.
    """
    if subscription.pause_reason is PauseReason.INSUFFICIENT_BALANCE:
        return subscription
    reason = PauseReason.INSUFFICIENT_BALANCE
    # What was used up to this very instant is what the wallet could not pay: it stays due.
    await store.open_pause(tx, subscription.id, reason, tx.now + INSTANT)
    await due_store.append_to_timeline(tx, subscription.id, Happening.PAUSED, reason.value)
    paused = await save(tx, replace(subscription, status=Status.PAUSED, pause_reason=reason))
    await _tell(
        tx,
        EventType.REALTIME_BALANCE_EXHAUSTED
        if is_realtime
        else EventType.PREPAID_BALANCE_INSUFFICIENT,
        paused,
    )
    return paused


async def lift_pause(tx: Transaction, subscription: Subscription) -> Subscription:
    """Let a locked, paused subscription go on, whatever it was paused for."""
    await store.close_pause(tx, subscription.id, tx.now)
    await due_store.append_to_timeline(tx, subscription.id, Happening.RESUMED, "")
    resumed = await save(tx, replace(subscription, status=Status.ACTIVE, pause_reason=None))
    await _tell(tx, EventType.SUBSCRIPTION_RESUMED, resumed)
    return resumed


async def cancel(tx: Transaction, subscription: Subscription, ends_at: datetime) -> Subscription:
    """End a locked subscription at an instant; billing what it used is the caller's.

    Raises:
        DomainError: conflict, when it has ended already.
    """
    check_can_cancel(subscription)
    await store.close_pause(tx, subscription.id, ends_at)
    await due_store.append_to_timeline(tx, subscription.id, Happening.CANCELED, "")
    canceled = replace(subscription, status=Status.CANCELED, pause_reason=None, canceled_at=ends_at)
    await _tell(tx, EventType.SUBSCRIPTION_CANCELED, canceled)
    return await save(tx, canceled)


async def schedule_cancel(tx: Transaction, subscription_id: UUID, *, wanted: bool) -> Subscription:
    """Have a subscription end with its present period, or not.

    Raises:
        DomainError: not_found; conflict, when it has ended already.
    """
    subscription = await get(tx, subscription_id, for_update=True)
    check_can_cancel(subscription)
    if subscription.cancel_at_period_end == wanted:
        return subscription
    happening = Happening.CANCEL_SCHEDULED if wanted else Happening.CANCEL_WITHDRAWN
    await due_store.append_to_timeline(tx, subscription.id, happening, "")
    return await save(tx, replace(subscription, cancel_at_period_end=wanted))


async def change_plan(tx: Transaction, subscription: Subscription, plan_id: UUID) -> Subscription:
    """Put a locked subscription on another plan from now on.

    Its periods begin anew now; billing the period that this cuts is the caller's. In a trial or
    before the start nothing is cut, and they begin where they would have.

    Raises:
        DomainError: not_found, naming the field; conflict, unless active and both plans are of one
            type and currency; invalid, where the new plan's periods don't fit the anchor.
    """
    plan = await _named("plan_id", catalog.hold_plan(tx, plan_id))
    check_can_change_plan(subscription, plan)
    present = (await catalog.get_plans(tx, [subscription.plan_id]))[subscription.plan_id]
    if present.details.currency != plan.details.currency:
        raise conflict("other_currency", "the new plan has another currency")
    before = subscription.phase
    is_running = tx.now > before.started_at and tx.now >= before.anchor_at
    phase = Phase(
        plan_id=plan.id,
        billing_period=plan.details.billing_period,
        anchor_at=tx.now if is_running else before.anchor_at,
        started_at=max(tx.now, before.started_at),
        joined_at=tx.now,
    )
    if is_running:
        await store.insert_phase(tx, subscription.id, before)
    past_phases = (*subscription.past_phases, before) if is_running else subscription.past_phases
    changed = replace(subscription, phase=phase, past_phases=past_phases)
    _check_schedule(changed)
    await due_store.append_to_timeline(tx, subscription.id, Happening.PLAN_CHANGED, str(plan.id))
    return await save(tx, changed)


async def save(tx: Transaction, subscription: Subscription) -> Subscription:
    """Store a changed, locked subscription, and when something is to be done for it next."""
    changed = replace(subscription, updated_at=tx.now)
    await save_all(tx, [changed])
    return changed


async def save_all(tx: Transaction, changed: Sequence[Subscription]) -> None:
    """Store changed, locked subscriptions, and when something is to be done for each next."""
    await store.update(tx, changed)
    await note_due(tx, changed)


async def hide(tx: Transaction, subscription_id: SubscriptionId) -> None:
    """Take a canceled subscription off the lists; its history stays."""
    await store.hide(tx, subscription_id)


async def billable_windows(
    tx: Transaction, subscription: Subscription, period: Period
) -> tuple[Period, ...]:
    """The parts of a period in which usage is billed: all but the pauses."""
    pauses = await load_pauses(tx, [subscription.id])
    return subtract(period, pauses[subscription.id])


async def load_pauses(
    tx: Transaction, subscription_ids: Sequence[SubscriptionId]
) -> dict[SubscriptionId, list[Period]]:
    """The pauses of each subscription in order; an open one lasts for ever."""
    return await store.load_pauses(tx, subscription_ids)


async def count_on_plan(
    tx: Transaction,
    plan_id: PlanId,
    customer_ids: Sequence[CustomerId] | None = None,
    *,
    with_ended: bool,
) -> int:
    """How many subscriptions are on a plan, of these customers or of all."""
    return await store.count_on_plan(tx, plan_id, customer_ids, with_ended=with_ended)


async def list_on_plan(
    tx: Transaction,
    plan_id: PlanId,
    customer_ids: Sequence[CustomerId] | None = None,
    *,
    with_ended: bool,
    after: SubscriptionId | None,
    limit: int,
) -> list[Subscription]:
    """The next subscriptions on a plan, by id, of these customers or of all."""
    return await store.list_on_plan(
        tx, plan_id, customer_ids, with_ended=with_ended, after=after, limit=limit
    )


async def refuse_customer_with_subscription(tx: Transaction, customer_id: CustomerId) -> None:
    """Raise conflict while a customer has a subscription that has not ended."""
    if await store.count_of_customer(tx, customer_id):
        raise conflict("customer_subscribed", "the customer has an active subscription")


async def refuse_plan_with_subscriptions(tx: Transaction, plan_id: PlanId) -> None:
    """Raise conflict while a plan has subscriptions that have not ended."""
    if await store.count_of_plan(tx, plan_id, ever=False):
        raise conflict("plan_subscribed", "the plan has active subscriptions")


async def refuse_plan_ever_subscribed(tx: Transaction, plan_id: PlanId) -> None:
    """Raise conflict once a plan has had a subscription."""
    if await store.count_of_plan(tx, plan_id, ever=True):
        raise conflict(
            "plan_terms_fixed",
            "currency, plan_type, billing_period and billing_mode are fixed"
            " once the plan has had subscribers",
        )


def _check_schedule(changed: Subscription) -> None:
    """Raise invalid, naming the plan, unless its periods can be laid out from the anchor."""
    try:
        period_at(schedule_of(changed, changed.phase), 0)
    except DomainError as error:
        raise invalid({"plan_id": "; ".join(error.fields.values())}) from error


async def _tell(tx: Transaction, event_type: EventType, subscription: Subscription) -> None:
    data = {
        "id": str(subscription.id),
        "customer_id": str(subscription.customer_id),
        "plan_id": str(subscription.plan_id),
        "status": subscription.status.value,
    }
    await outbox.emit(tx, [OutboxEvent(event_type, {"subscription": data})])


async def _named(field: str, found: Awaitable[Found]) -> Found:
    """Await a look-up of something a body refers to; when it is missing, name the body's field."""
    try:
        return await found
    except DomainError as error:
        raise _missing(field, error) from error


def _missing(field: str, error: DomainError) -> DomainError:
    return DomainError(error.kind, error.code, error.message, fields={field: error.message})
