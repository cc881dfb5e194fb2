"""Use cases of subscriptions."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from monigo import catalog, customers, metering, tenancy
from monigo.catalog import Plan, PlanType
from monigo.core.errors import invalid, not_found
from monigo.core.ids import CustomerId, PlanId, SubscriptionId, parse_id
from monigo.core.paging import Page, PageRequest
from monigo.core.periods import days_later, period_at
from monigo.infra.db import RowLock, Transaction
from monigo.infra.ids import new_id
from monigo.subscriptions import guards, store, stretches, timeline
from monigo.subscriptions.due import note_due
from monigo.subscriptions.events import SubscriptionCreated, report
from monigo.subscriptions.references import lock_plan, named
from monigo.subscriptions.rules import check_dates, schedule_of
from monigo.subscriptions.timeline import TimelineEntry, TimelineEvent
from monigo.subscriptions.types import (
    NewSubscription,
    Phase,
    Status,
    Subscription,
    SubscriptionFilter,
)
from monigo.tenancy import Organization


async def create(tx: Transaction, wanted: NewSubscription) -> Subscription:
    """Put a customer on a plan, in the organisation's time zone of today.

    Raises:
        DomainError: not_found (customer, plan, naming the field); invalid dates or trial; conflict,
            when the customer has an active subscription of the plan's type, or when another one
            bills usage from after the start.
    """
    customer = await named("customer_id", customers.get(tx, wanted.customer, lock=RowLock.CHANGE))
    plan = await lock_plan(tx, wanted.plan)
    plan_type = plan.details.plan_type
    organization = await tenancy.get_organization(tx)
    timezone = organization.billing.timezone
    check_dates(start=wanted.start_date or tx.now, end=wanted.end_date, now=tx.now)
    if await store.has_active(tx, customer.id, plan_type):
        raise store.already_subscribed()
    subscription_id = SubscriptionId(new_id())
    start = wanted.start_date or await stretches.usual_start(
        tx, customer.id, plan_type, besides=subscription_id, timezone=timezone
    )
    # It may be a moment ahead: the subscription before was ended by a clock that is.
    check_dates(start=start, end=wanted.end_date, now=tx.now)
    trial_days = await _trial_days(tx, wanted, customer.id, plan, organization)
    trial_ends_at = days_later(start, trial_days, timezone) if trial_days else None
    subscription = Subscription(
        id=subscription_id,
        customer_id=customer.id,
        phase=Phase(
            plan_id=plan.id,
            billing_period=plan.details.billing_period,
            anchor_at=trial_ends_at or start,
            started_at=start,
            agreed_at=tx.now,
            agreed_revision=await catalog.standing_revision(tx, plan.id, tx.now),
        ),
        past_phases=(),
        plan_type=plan_type,
        status=Status.ACTIVE,
        pause_reason=None,
        timezone=timezone,
        billing_anchor=wanted.billing_anchor,
        start_date=start,
        end_date=wanted.end_date,
        trial_ends_at=trial_ends_at,
        trial_plan_id=plan.id if trial_ends_at else None,
        cancel_at_period_end=False,
        cancel_at=None,
        scheduled_plan_id=None,
        scheduled_at=None,
        canceled_at=None,
        closed_until=start,
        recheck_from=None,
        late_usage_checked_at=tx.real_now,
        billing_error="",
        created_at=tx.now,
        updated_at=tx.now,
    )
    await _add(tx, subscription)
    return subscription


async def get(tx: Transaction, subscription_id: UUID, *, for_update: bool = False) -> Subscription:
    """One subscription. Raises not_found."""
    subscription = await store.load(tx, subscription_id, for_update=for_update)
    if subscription is None:
        raise not_found("subscription")
    return subscription


async def lock(tx: Transaction, subscription_id: SubscriptionId) -> Subscription:
    """A known subscription, deleted or not, locked until the transaction ends."""
    held = await store.lock_ever(tx, [subscription_id])
    if not held:
        raise not_found("subscription")
    return held[0]


async def lock_together(tx: Transaction, subscription_ids: Collection[SubscriptionId]) -> None:
    """Lock known subscriptions, deleted or not, in the order of their ids."""
    await store.lock_ever(tx, list(subscription_ids))


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


async def get_many(
    tx: Transaction, subscription_ids: Collection[SubscriptionId]
) -> list[Subscription]:
    """Known subscriptions, ended and deleted ones included, in the order of their ids."""
    return await store.load_ever(tx, list(subscription_ids))


async def open_from(
    tx: Transaction, customer_ids: Sequence[CustomerId]
) -> dict[CustomerId, datetime]:
    """The start of each customer's first period that is not closed, if any; deleted ones too."""
    return await store.open_from(tx, customer_ids)


async def read_timeline(tx: Transaction, subscription_id: UUID) -> list[TimelineEntry]:
    """What happened to a subscription, in order. Raises not_found."""
    subscription = await get(tx, subscription_id)
    return await timeline.load(tx, subscription.id)


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


async def _trial_days(
    tx: Transaction,
    wanted: NewSubscription,
    customer_id: CustomerId,
    plan: Plan,
    organization: Organization,
) -> int:
    """How long the trial is: as wanted, else the plan's, which a customer gets once."""
    if wanted.trial_period_days is not None:
        if not 0 <= wanted.trial_period_days <= catalog.TRIAL_DAYS_MAX:
            raise invalid({"trial_period_days": f"must be 0 to {catalog.TRIAL_DAYS_MAX}"})
        return wanted.trial_period_days
    days = plan.details.trial_period_days
    is_once = days and not organization.billing.repeated_trials_enabled
    return 0 if is_once and await guards.had_trial(tx, customer_id, plan.id) else days


async def _add(tx: Transaction, subscription: Subscription) -> None:
    """Store a new subscription with all that comes with it."""
    # Raises where periods can't be laid out as asked.
    period_at(schedule_of(subscription, subscription.phase), 0)
    await store.insert(tx, subscription)
    await stretches.claim(tx, subscription, subscription.start_date, field="start_date")
    await note_due(tx, [subscription])
    await timeline.append(tx, subscription.id, TimelineEvent.CREATED, str(subscription.plan_id))
    await report(tx, SubscriptionCreated, subscription)
    if subscription.plan_type is PlanType.PAYOUT:
        await metering.note_recipients(tx, [subscription.customer_id])
