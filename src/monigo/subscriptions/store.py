"""All SQL of subscriptions and their pauses."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import asyncpg

from monigo.catalog import PlanType
from monigo.core.errors import DomainError, conflict
from monigo.core.ids import CustomerId, PlanId, SubscriptionId
from monigo.core.paging import Page, PageRequest
from monigo.core.periods import BillingAnchor, BillingPeriod, Period
from monigo.infra.database import Transaction, violations_as
from monigo.subscriptions.types import PauseReason, Status, Subscription

# The end of an open pause; the last instant there is.
FOREVER = datetime.max.replace(tzinfo=UTC)

COLUMNS = """
    id, customer_id, plan_id, plan_type, status, pause_reason, timezone, billing_period,
    billing_anchor, anchor_at, start_date, end_date, trial_ends_at, canceled_at, created_at,
    updated_at
"""

INSERT = """
    INSERT INTO subscriptions (
        org_id, is_test, id, customer_id, plan_id, plan_type, status, pause_reason, timezone,
        billing_period, billing_anchor, anchor_at, start_date, end_date, trial_ends_at,
        canceled_at, created_at, updated_at
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
"""

SELECT = f"""
    SELECT {COLUMNS} FROM subscriptions
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND deleted_at IS NULL
"""

# What was billed under a deleted subscription can still be finalized or voided.
SELECT_EVER = f"""
    SELECT {COLUMNS} FROM subscriptions
    WHERE org_id = $1 AND is_test = $2 AND id = $3
    FOR UPDATE
"""

MATCHING = """
    FROM subscriptions
    WHERE org_id = $1 AND is_test = $2 AND deleted_at IS NULL
        AND ($3::uuid IS NULL OR customer_id = $3)
        AND ($4::uuid IS NULL OR plan_id = $4)
        AND ($5::text IS NULL OR status = $5)
"""

SELECT_PAGE = f"""
    SELECT {COLUMNS} {MATCHING}
    ORDER BY created_at DESC, id DESC
    LIMIT $6 OFFSET $7
"""

COUNT = f"SELECT count(*) {MATCHING}"

# Hidden ones too: their usage was metered all the same.
SELECT_OF_CUSTOMERS = f"""
    SELECT {COLUMNS} FROM subscriptions
    WHERE org_id = $1 AND is_test = $2 AND customer_id = ANY ($3::uuid[])
    ORDER BY status <> 'active', plan_type, created_at, id
"""

UPDATE_STATUS = """
    UPDATE subscriptions
    SET status = $4, pause_reason = $5, canceled_at = $6, updated_at = $7
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

HIDE = """
    UPDATE subscriptions SET deleted_at = $4, updated_at = $4
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

OPEN_PAUSE = """
    INSERT INTO subscription_pauses (org_id, is_test, subscription_id, started_at, reason)
    VALUES ($1, $2, $3, $4, $5)
"""

CLOSE_PAUSE = """
    UPDATE subscription_pauses SET ended_at = $4
    WHERE org_id = $1 AND is_test = $2 AND subscription_id = $3 AND ended_at IS NULL
"""

SELECT_PAUSES = """
    SELECT subscription_id, started_at, ended_at FROM subscription_pauses
    WHERE org_id = $1 AND is_test = $2 AND subscription_id = ANY ($3::uuid[])
    ORDER BY subscription_id, started_at
"""

COUNT_OF_CUSTOMER = """
    SELECT count(*) FROM subscriptions
    WHERE org_id = $1 AND is_test = $2 AND customer_id = $3 AND status <> 'canceled'
"""

COUNT_OF_PLAN = """
    SELECT count(*) FROM subscriptions
    WHERE org_id = $1 AND is_test = $2 AND plan_id = $3 AND status <> 'canceled'
"""

COUNT_OF_PLAN_EVER = """
    SELECT count(*) FROM subscriptions WHERE org_id = $1 AND is_test = $2 AND plan_id = $3
"""


def _already_subscribed() -> DomainError:
    return conflict(
        "subscription_exists",
        "the customer already has an active subscription of this plan type",
    )


ERRORS = {"subscriptions_one_active_per_plan_type": _already_subscribed}


async def insert(tx: Transaction, subscription: Subscription) -> None:
    """Store a new subscription. Raises conflict when its place is taken."""
    with violations_as(ERRORS):
        await tx.execute(
            INSERT,
            subscription.id,
            subscription.customer_id,
            subscription.plan_id,
            subscription.plan_type.value,
            subscription.status.value,
            subscription.pause_reason and subscription.pause_reason.value,
            subscription.timezone,
            subscription.billing_period.value,
            subscription.billing_anchor.value,
            subscription.anchor_at,
            subscription.start_date,
            subscription.end_date,
            subscription.trial_ends_at,
            subscription.canceled_at,
            subscription.created_at,
            subscription.updated_at,
        )


async def load(
    tx: Transaction, subscription_id: UUID, *, for_update: bool = False
) -> Subscription | None:
    """One subscription that is not deleted."""
    row = await tx.fetchrow(SELECT + (" FOR UPDATE" if for_update else ""), subscription_id)
    return None if row is None else _subscription(row)


async def lock_ever(tx: Transaction, subscription_id: UUID) -> Subscription | None:
    """One subscription, deleted or not, locked."""
    row = await tx.fetchrow(SELECT_EVER, subscription_id)
    return None if row is None else _subscription(row)


async def list_page(
    tx: Transaction,
    request: PageRequest,
    *,
    customer_id: UUID | None,
    plan_id: UUID | None,
    status: Status | None,
) -> Page[Subscription]:
    """Subscriptions that match, newest first."""
    matching = (customer_id, plan_id, status and status.value)
    rows = await tx.fetch(SELECT_PAGE, *matching, request.limit, request.offset)
    total = await tx.fetchval(COUNT, *matching)
    return Page([_subscription(row) for row in rows], total, request.offset)


async def list_of_customers(
    tx: Transaction, customer_ids: Sequence[CustomerId]
) -> list[Subscription]:
    """All subscriptions of these customers ever, active ones first."""
    rows = await tx.fetch(SELECT_OF_CUSTOMERS, customer_ids)
    return [_subscription(row) for row in rows]


async def update_status(tx: Transaction, subscription: Subscription) -> None:
    """Store a changed status. Raises conflict when a resumed one finds its place taken."""
    with violations_as(ERRORS):
        await tx.execute(
            UPDATE_STATUS,
            subscription.id,
            subscription.status.value,
            subscription.pause_reason and subscription.pause_reason.value,
            subscription.canceled_at,
            subscription.updated_at,
        )


async def hide(tx: Transaction, subscription_id: SubscriptionId) -> None:
    """Delete softly."""
    await tx.execute(HIDE, subscription_id, tx.now)


async def open_pause(tx: Transaction, subscription_id: SubscriptionId, reason: PauseReason) -> None:
    """Note that a pause begins now."""
    await tx.execute(OPEN_PAUSE, subscription_id, tx.now, reason.value)


async def close_pause(tx: Transaction, subscription_id: SubscriptionId) -> None:
    """Note that the open pause, if any, ends now."""
    await tx.execute(CLOSE_PAUSE, subscription_id, tx.now)


async def load_pauses(
    tx: Transaction, subscription_ids: Sequence[SubscriptionId]
) -> dict[SubscriptionId, list[Period]]:
    """The pauses of each subscription in order; an open one lasts for ever."""
    if not subscription_ids:
        return {}
    pauses: dict[SubscriptionId, list[Period]] = {known: [] for known in subscription_ids}
    for row in await tx.fetch(SELECT_PAUSES, subscription_ids):
        end = row["ended_at"] or FOREVER
        if row["started_at"] < end:
            pauses[row["subscription_id"]].append(Period(row["started_at"], end))
    return pauses


async def count_of_customer(tx: Transaction, customer_id: CustomerId) -> int:
    """How many subscriptions of a customer have not ended."""
    return await tx.fetchval(COUNT_OF_CUSTOMER, customer_id)


async def count_of_plan(tx: Transaction, plan_id: PlanId, *, ever: bool) -> int:
    """How many subscriptions a plan has, or ever had."""
    return await tx.fetchval(COUNT_OF_PLAN_EVER if ever else COUNT_OF_PLAN, plan_id)


def _subscription(row: asyncpg.Record) -> Subscription:
    return Subscription(
        id=SubscriptionId(row["id"]),
        customer_id=CustomerId(row["customer_id"]),
        plan_id=PlanId(row["plan_id"]),
        plan_type=PlanType(row["plan_type"]),
        status=Status(row["status"]),
        pause_reason=row["pause_reason"] and PauseReason(row["pause_reason"]),
        timezone=row["timezone"],
        billing_period=BillingPeriod(row["billing_period"]),
        billing_anchor=BillingAnchor(row["billing_anchor"]),
        anchor_at=row["anchor_at"],
        start_date=row["start_date"],
        end_date=row["end_date"],
        trial_ends_at=row["trial_ends_at"],
        canceled_at=row["canceled_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
