"""Use cases of subscriptions."""

from collections.abc import Awaitable, Iterable
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from monigo import catalog, customers, tenancy
from monigo.core.errors import DomainError, conflict, not_found
from monigo.core.ids import CustomerId, PlanId, SubscriptionId, parse_id
from monigo.core.paging import Page, PageRequest
from monigo.core.periods import Period, days_later, period_at, subtract
from monigo.infra.database import RowLock, Transaction
from monigo.infra.ids import new_id
from monigo.subscriptions import store
from monigo.subscriptions.rules import (
    check_can_cancel,
    check_can_pause,
    check_can_resume,
    check_dates,
    schedule_of,
)
from monigo.subscriptions.types import (
    NewSubscription,
    PauseReason,
    Status,
    Subscription,
    SubscriptionFilter,
)

Found = TypeVar("Found")


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
        plan_id=plan.id,
        plan_type=plan.details.plan_type,
        status=Status.ACTIVE,
        pause_reason=None,
        timezone=organization.timezone,
        billing_period=plan.details.billing_period,
        billing_anchor=wanted.billing_anchor,
        anchor_at=trial_ends_at or start,
        start_date=start,
        end_date=wanted.end_date,
        trial_ends_at=trial_ends_at,
        canceled_at=None,
        created_at=tx.now,
        updated_at=tx.now,
    )
    period_at(schedule_of(subscription), 0)  # Raises where periods can't be laid out as asked.
    await store.insert(tx, subscription)
    return subscription


async def get(tx: Transaction, subscription_id: UUID, *, for_update: bool = False) -> Subscription:
    """One subscription. Raises not_found."""
    subscription = await store.load(tx, subscription_id, for_update=for_update)
    if subscription is None:
        raise not_found("subscription")
    return subscription


async def hold(tx: Transaction, subscription_id: SubscriptionId) -> Subscription:
    """A known subscription, deleted or not, locked until the transaction ends."""
    subscription = await store.lock_ever(tx, subscription_id)
    if subscription is None:
        raise not_found("subscription")
    return subscription


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


async def pause(tx: Transaction, subscription_id: UUID) -> Subscription:
    """Stop billing until resumed: events are kept, what is used meanwhile is not billed.

    Raises:
        DomainError: not_found; conflict, unless active.
    """
    subscription = await get(tx, subscription_id, for_update=True)
    check_can_pause(subscription)
    await store.open_pause(tx, subscription.id, PauseReason.MERCHANT)
    return await _with_status(tx, subscription, Status.PAUSED, PauseReason.MERCHANT)


async def resume(tx: Transaction, subscription_id: UUID) -> Subscription:
    """Lift the merchant's pause; an active subscription stays as it is.

    Raises:
        DomainError: not_found; conflict, when canceled, or when another one took its place.
    """
    subscription = await get(tx, subscription_id, for_update=True)
    if subscription.status is Status.ACTIVE:
        return subscription
    check_can_resume(subscription)
    await store.close_pause(tx, subscription.id)
    return await _with_status(tx, subscription, Status.ACTIVE, None)


async def cancel(tx: Transaction, subscription: Subscription) -> Subscription:
    """End a locked subscription now; billing what it used is the caller's.

    Raises:
        DomainError: conflict, when it has ended already.
    """
    check_can_cancel(subscription)
    await store.close_pause(tx, subscription.id)
    canceled = replace(subscription, canceled_at=tx.now)
    return await _with_status(tx, canceled, Status.CANCELED, None)


async def hide(tx: Transaction, subscription_id: SubscriptionId) -> None:
    """Take a canceled subscription off the lists; its history stays."""
    await store.hide(tx, subscription_id)


async def billable_windows(
    tx: Transaction, subscription: Subscription, period: Period
) -> tuple[Period, ...]:
    """The parts of a period in which usage is billed: all but the pauses."""
    pauses = await store.load_pauses(tx, [subscription.id])
    return subtract(period, pauses[subscription.id])


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


async def _with_status(
    tx: Transaction, subscription: Subscription, status: Status, reason: PauseReason | None
) -> Subscription:
    changed = replace(subscription, status=status, pause_reason=reason, updated_at=tx.now)
    await store.update_status(tx, changed)
    return changed


async def _named(field: str, found: Awaitable[Found]) -> Found:
    """Await a look-up of something a body refers to; when it is missing, name the body's field."""
    try:
        return await found
    except DomainError as error:
        raise _missing(field, error) from error


def _missing(field: str, error: DomainError) -> DomainError:
    return DomainError(error.kind, error.code, error.message, fields={field: error.message})
