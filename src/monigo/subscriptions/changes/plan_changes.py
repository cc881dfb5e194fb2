"""Changes of plan: at once, which cuts the period, or as the running period ends."""

from uuid import UUID

from msgspec.structs import replace

from monigo import catalog
from monigo.catalog import Plan
from monigo.core.errors import DomainError, InvariantError, conflict, invalid
from monigo.core.periods import period_at
from monigo.infra.db import Transaction
from monigo.subscriptions import store, timeline
from monigo.subscriptions.due import save
from monigo.subscriptions.events import (
    SubscriptionPlanChanged,
    SubscriptionPlanChangeScheduled,
    SubscriptionPlanChangeWithdrawn,
    report,
)
from monigo.subscriptions.references import lock_plan
from monigo.subscriptions.rules import (
    check_can_change_plan,
    check_is_active,
    current_period,
    effective_at,
    schedule_of,
    with_plan_from,
)
from monigo.subscriptions.timeline import TimelineEvent
from monigo.subscriptions.types import Phase, Subscription


async def change_plan(tx: Transaction, subscription: Subscription, plan_id: UUID) -> Subscription:
    """Put a locked subscription on another plan from now on, or from where it is closed.

    New periods begin there; the caller bills the period that the change cuts. In a trial or before
    the start nothing is cut, and periods begin where they would have. A scheduled change is
    dropped.

    Raises:
        DomainError: not_found, naming the field; conflict, unless active and both plans are of one
            type and currency; invalid, where the new plan's periods don't fit the anchor.
    """
    plan = await lock_plan(tx, plan_id)
    check_is_active(subscription)
    await _check_plan(tx, subscription, plan)
    subscription = await withdraw_plan_change(tx, subscription)
    before, starts_at = subscription.phase, effective_at(subscription, tx.now)
    revision = await catalog.standing_revision(tx, plan.id, starts_at)
    if starts_at > before.started_at and starts_at >= before.anchor_at:
        await store.insert_phase(tx, subscription.id, before)
        changed = with_plan_from(subscription, plan, revision, starts_at)
    else:
        phase = Phase(
            plan_id=plan.id,
            billing_period=plan.details.billing_period,
            anchor_at=before.anchor_at,
            started_at=max(starts_at, before.started_at),
            agreed_at=tx.now,
            agreed_revision=revision,
        )
        changed = replace(subscription, phase=phase)
    _check_schedule(changed)
    await timeline.append(tx, subscription.id, TimelineEvent.PLAN_CHANGED, str(plan.id))
    await report(tx, SubscriptionPlanChanged, changed, plan_id_before=before.plan_id)
    return await save(tx, changed)


async def schedule_plan_change(
    tx: Transaction, subscription: Subscription, plan_id: UUID | None
) -> Subscription:
    """Have a locked subscription go on under another plan as the period ends that runs now.

    It replaces what was scheduled before, and comes in a pause, too: the boundary stays where it
    is. The prices will be those of that instant. None: no plan, what was scheduled is dropped.

    Raises:
        DomainError: not_found, naming the field; conflict, when it has ended, or where the plans
            are not two of one type and currency; invalid, where the new plan's periods don't fit
            the anchor.
    """
    if plan_id is None:
        return await withdraw_plan_change(tx, subscription)
    plan = await lock_plan(tx, plan_id)
    await _check_plan(tx, subscription, plan)
    scheduled_at = current_period(subscription, effective_at(subscription, tx.now)).end
    revision = await catalog.standing_revision(tx, plan.id, scheduled_at)
    _check_schedule(with_plan_from(subscription, plan, revision, scheduled_at))
    event = TimelineEvent.PLAN_CHANGE_SCHEDULED
    await timeline.append(tx, subscription.id, event, str(plan.id))
    changed = replace(subscription, scheduled_plan_id=plan.id, scheduled_at=scheduled_at)
    await report(
        tx,
        SubscriptionPlanChangeScheduled,
        changed,
        scheduled_plan_id=plan.id,
        scheduled_at=scheduled_at,
    )
    return await save(tx, changed)


async def withdraw_plan_change(tx: Transaction, subscription: Subscription) -> Subscription:
    """Drop a locked subscription's change of plan that was to come; none stays none."""
    if subscription.scheduled_plan_id is None:
        return subscription
    plan_id, event = subscription.scheduled_plan_id, TimelineEvent.PLAN_CHANGE_WITHDRAWN
    await timeline.append(tx, subscription.id, event, str(plan_id))
    changed = replace(subscription, scheduled_plan_id=None, scheduled_at=None)
    await report(tx, SubscriptionPlanChangeWithdrawn, changed, scheduled_plan_id=plan_id)
    return await save(tx, changed)


async def apply_plan_change(tx: Transaction, subscription: Subscription) -> Subscription:
    """Put a locked subscription on the plan that it was to change to, from that instant on.

    The period before ends there as scheduled; the caller bills it.
    """
    await store.insert_phase(tx, subscription.id, subscription.phase)
    changed = await as_after_plan_change(tx, subscription)
    await timeline.append(tx, subscription.id, TimelineEvent.PLAN_CHANGED, str(changed.plan_id))
    await report(tx, SubscriptionPlanChanged, changed, plan_id_before=subscription.plan_id)
    return await save(tx, changed)


async def as_after_plan_change(tx: Transaction, subscription: Subscription) -> Subscription:
    """What a subscription will be once its scheduled change of plan has come."""
    plan_id, scheduled_at = subscription.scheduled_plan_id, subscription.scheduled_at
    if plan_id is None or scheduled_at is None:
        raise InvariantError("a change of plan is scheduled")
    plan = (await catalog.get_plans(tx, [plan_id]))[plan_id]
    revision = await catalog.standing_revision(tx, plan.id, scheduled_at)
    changed = with_plan_from(subscription, plan, revision, scheduled_at)
    return replace(changed, scheduled_plan_id=None, scheduled_at=None)


async def _check_plan(tx: Transaction, subscription: Subscription, plan: Plan) -> None:
    check_can_change_plan(subscription, plan)
    present = (await catalog.get_plans(tx, [subscription.plan_id]))[subscription.plan_id]
    if present.details.currency != plan.details.currency:
        raise conflict("other_currency", "the new plan has another currency")


def _check_schedule(changed: Subscription) -> None:
    """Raise invalid, naming the plan, unless its periods can be laid out from the anchor."""
    try:
        period_at(schedule_of(changed, changed.phase), 0)
    except DomainError as error:
        raise invalid({"plan_id": "; ".join(error.fields.values())}) from error
