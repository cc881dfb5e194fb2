"""All SQL of subscriptions and their phases."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from monigo.catalog import PlanType
from monigo.core.errors import DomainError, conflict, invalid
from monigo.core.ids import CustomerId, PlanId, SubscriptionId
from monigo.core.paging import Page, PageRequest
from monigo.core.periods import BillingAnchor, BillingPeriod
from monigo.infra.db import Transaction, violations_as
from monigo.subscriptions.types import PauseReason, Phase, Status, Subscription

COLUMNS = """
    id, customer_id, plan_id, plan_type, status, pause_reason, timezone, billing_period,
    billing_anchor, anchor_at, phase_started_at, phase_agreed_at, start_date, end_date,
    trial_ends_at, trial_plan_id, cancel_at_period_end, cancel_at, scheduled_plan_id, scheduled_at,
    canceled_at, closed_until, recheck_from, late_usage_checked_at, billing_error, created_at,
    updated_at, phase_agreed_revision
"""

INSERT = """
    INSERT INTO subscriptions (
        org_id, is_test, id, customer_id, plan_id, plan_type, status, pause_reason, timezone,
        billing_period, billing_anchor, anchor_at, phase_started_at, start_date, end_date,
        trial_ends_at, trial_plan_id, cancel_at_period_end, closed_until, late_usage_checked_at,
        billing_error, created_at, updated_at, phase_agreed_at, phase_agreed_revision
    ) VALUES (
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
        $21, $22, $22, $23, $24
    )
"""

SELECT = f"""
    SELECT {COLUMNS} FROM subscriptions
    WHERE org_id = $1 AND is_test = $2 AND id = $3 AND deleted_at IS NULL
"""

# What was billed under a deleted subscription can still be finalized or voided.
SELECT_EVER = f"""
    SELECT {COLUMNS} FROM subscriptions
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
    ORDER BY id
"""

LOCK_EVER = f"{SELECT_EVER} FOR UPDATE"

# Those that a request holds just now come again with the next slice.
SELECT_FREE = f"{LOCK_EVER} SKIP LOCKED"

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

UPDATE = """
    UPDATE subscriptions
    SET plan_id = $4, billing_period = $5, anchor_at = $6, phase_started_at = $7,
        phase_agreed_at = $8, status = $9, pause_reason = $10, cancel_at_period_end = $11,
        cancel_at = $12, scheduled_plan_id = $13, scheduled_at = $14, canceled_at = $15,
        closed_until = $16, recheck_from = $17, late_usage_checked_at = $18, billing_error = $19,
        updated_at = $20, phase_agreed_revision = $21
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

# Set-wise, so that the period close writes a slice of subscriptions at once.
UPDATE_BILLED = """
    UPDATE subscriptions AS stored
    SET closed_until = billed.closed_until, recheck_from = billed.recheck_from,
        late_usage_checked_at = billed.late_usage_checked_at, billing_error = billed.billing_error
    FROM unnest(
        $3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[], $7::text[]
    ) AS billed (id, closed_until, recheck_from, late_usage_checked_at, billing_error)
    WHERE stored.org_id = $1 AND stored.is_test = $2 AND stored.id = billed.id
"""

INSERT_PHASE = """
    INSERT INTO subscription_phases (
        org_id, is_test, subscription_id, started_at, agreed_at, agreed_revision, plan_id,
        billing_period, anchor_at
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""

SELECT_PHASES = """
    SELECT subscription_id, started_at, agreed_at, agreed_revision, plan_id, billing_period,
        anchor_at
    FROM subscription_phases
    WHERE org_id = $1 AND is_test = $2 AND subscription_id = ANY ($3::uuid[])
    ORDER BY subscription_id, started_at
"""

SELECT_OPEN_FROM = """
    SELECT customer_id, min(closed_until) AS open_from FROM subscriptions
    WHERE org_id = $1 AND is_test = $2 AND customer_id = ANY ($3::uuid[])
        AND (canceled_at IS NULL OR closed_until < canceled_at)
    GROUP BY customer_id
"""

HIDE = """
    UPDATE subscriptions SET deleted_at = $4, updated_at = $4
    WHERE org_id = $1 AND is_test = $2 AND id = $3
"""

# As `subscriptions_one_active_per_plan_type` counts them.
HAS_ACTIVE = """
    SELECT EXISTS (
        SELECT 1 FROM subscriptions
        WHERE org_id = $1 AND is_test = $2 AND customer_id = $3 AND plan_type = $4
            AND (
                status IN ('active', 'suspended')
                OR (status = 'paused' AND pause_reason <> 'merchant')
            )
    )
"""

# Those that are on a plan now, for all that a customer of it is asked about.
ON_PLAN = """
    FROM subscriptions
    WHERE org_id = $1 AND is_test = $2 AND plan_id = $3 AND deleted_at IS NULL
        AND ($4::uuid[] IS NULL OR customer_id = ANY ($4)) AND ($5 OR status <> 'canceled')
"""

COUNT_ON_PLAN = f"SELECT count(*) {ON_PLAN}"

SELECT_ON_PLAN = f"""
    SELECT {COLUMNS} {ON_PLAN} AND ($6::uuid IS NULL OR id > $6)
    ORDER BY id
    LIMIT $7
"""


def already_subscribed() -> DomainError:
    """The refusal of a second active subscription of a plan type."""
    return conflict(
        "subscription_exists",
        "the customer already has an active subscription of this plan type",
    )


def ends_too_early() -> DomainError:
    """The refusal of an end that is not after the start."""
    return invalid({"end_date": "must lie after the start, and in the future"})


ERRORS = {
    "subscriptions_one_active_per_plan_type": already_subscribed,
    "subscriptions_end_after_start": ends_too_early,
}


async def insert(tx: Transaction, subscription: Subscription) -> None:
    """Store a new subscription. Raises conflict beside an active one, invalid for a bad end."""
    phase = subscription.phase
    with violations_as(ERRORS):
        await tx.execute(
            INSERT,
            subscription.id,
            subscription.customer_id,
            phase.plan_id,
            subscription.plan_type.value,
            subscription.status.value,
            subscription.pause_reason and subscription.pause_reason.value,
            subscription.timezone,
            phase.billing_period.value,
            subscription.billing_anchor.value,
            phase.anchor_at,
            phase.started_at,
            subscription.start_date,
            subscription.end_date,
            subscription.trial_ends_at,
            subscription.trial_plan_id,
            subscription.cancel_at_period_end,
            subscription.closed_until,
            subscription.late_usage_checked_at,
            subscription.billing_error,
            subscription.created_at,
            phase.agreed_at,
            phase.agreed_revision,
        )


async def has_active(tx: Transaction, customer_id: CustomerId, plan_type: PlanType) -> bool:
    """Whether a customer has an active subscription of a plan type, or one the system paused."""
    return await tx.fetchval(HAS_ACTIVE, customer_id, plan_type.value)


async def load(
    tx: Transaction, subscription_id: UUID, *, for_update: bool = False
) -> Subscription | None:
    """One subscription that is not deleted."""
    row = await tx.fetchrow(SELECT + (" FOR UPDATE" if for_update else ""), subscription_id)
    return None if row is None else (await _with_phases(tx, [row]))[0]


async def lock_ever(
    tx: Transaction, subscription_ids: Sequence[UUID], *, skip_locked: bool = False
) -> list[Subscription]:
    """Subscriptions, deleted or not, locked in the order of their ids; unknown ones are absent."""
    query = SELECT_FREE if skip_locked else LOCK_EVER
    return await _with_phases(tx, await tx.fetch(query, subscription_ids))


async def load_ever(tx: Transaction, subscription_ids: Sequence[UUID]) -> list[Subscription]:
    """Subscriptions, deleted or not, in the order of their ids; unknown ones are absent."""
    return await _with_phases(tx, await tx.fetch(SELECT_EVER, subscription_ids))


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
    found: list[Subscription] = []
    async for rows in tx.pieces(SELECT_PAGE, *matching, request.limit, request.offset):
        found += await _with_phases(tx, rows)
    return Page(found, await tx.fetchval(COUNT, *matching), request.offset)


async def list_of_customers(
    tx: Transaction, customer_ids: Sequence[CustomerId]
) -> list[Subscription]:
    """All subscriptions of these customers ever, active ones first."""
    return await _with_phases(tx, await tx.fetch(SELECT_OF_CUSTOMERS, customer_ids))


async def update(tx: Transaction, known: Subscription) -> None:
    """Store a changed, locked subscription. Raises conflict when one is resumed beside another."""
    with violations_as(ERRORS):
        await tx.execute(
            UPDATE,
            known.id,
            known.phase.plan_id,
            known.phase.billing_period.value,
            known.phase.anchor_at,
            known.phase.started_at,
            known.phase.agreed_at,
            known.status.value,
            known.pause_reason and known.pause_reason.value,
            known.cancel_at_period_end,
            known.cancel_at,
            known.scheduled_plan_id,
            known.scheduled_at,
            known.canceled_at,
            known.closed_until,
            known.recheck_from,
            known.late_usage_checked_at,
            known.billing_error,
            known.updated_at,
            known.phase.agreed_revision,
        )


async def update_billed(tx: Transaction, subscriptions: Sequence[Subscription]) -> None:
    """Store how far locked subscriptions are billed and looked at, and what went wrong with it."""
    await tx.execute(
        UPDATE_BILLED,
        [known.id for known in subscriptions],
        [known.closed_until for known in subscriptions],
        [known.recheck_from for known in subscriptions],
        [known.late_usage_checked_at for known in subscriptions],
        [known.billing_error for known in subscriptions],
    )


async def insert_phase(tx: Transaction, subscription_id: SubscriptionId, phase: Phase) -> None:
    """Keep a phase that has ended."""
    await tx.execute(
        INSERT_PHASE,
        subscription_id,
        phase.started_at,
        phase.agreed_at,
        phase.agreed_revision,
        phase.plan_id,
        phase.billing_period.value,
        phase.anchor_at,
    )


async def open_from(
    tx: Transaction, customer_ids: Sequence[CustomerId]
) -> dict[CustomerId, datetime]:
    """The start of each customer's first period that is not closed, if any."""
    rows = await tx.fetch(SELECT_OPEN_FROM, customer_ids)
    return {CustomerId(row["customer_id"]): row["open_from"] for row in rows}


async def hide(tx: Transaction, subscription_id: SubscriptionId) -> None:
    """Delete softly."""
    await tx.execute(HIDE, subscription_id, tx.now)


async def count_on_plan(
    tx: Transaction,
    plan_id: PlanId,
    customer_ids: Sequence[CustomerId] | None,
    *,
    with_ended: bool,
) -> int:
    """How many subscriptions are on a plan, of these customers or of all."""
    return await tx.fetchval(COUNT_ON_PLAN, plan_id, customer_ids, with_ended)


async def list_on_plan(
    tx: Transaction,
    plan_id: PlanId,
    customer_ids: Sequence[CustomerId] | None,
    *,
    with_ended: bool,
    after: SubscriptionId | None,
    limit: int,
) -> list[Subscription]:
    """The next subscriptions on a plan, by id."""
    rows = await tx.fetch(SELECT_ON_PLAN, plan_id, customer_ids, with_ended, after, limit)
    return await _with_phases(tx, rows)


async def _with_phases(tx: Transaction, rows: Sequence[asyncpg.Record]) -> list[Subscription]:
    """The rows' subscriptions; only one that began before its present phase has past ones."""
    changed = [row["id"] for row in rows if row["start_date"] < row["phase_started_at"]]
    phases: dict[UUID, list[Phase]] = {}
    if changed:
        for row in await tx.fetch(SELECT_PHASES, changed):
            phase = _phase(row, row["started_at"], row["agreed_at"], row["agreed_revision"])
            phases.setdefault(row["subscription_id"], []).append(phase)
    return [_subscription(row, tuple(phases.get(row["id"], ()))) for row in rows]


def _phase(
    row: asyncpg.Record, started_at: datetime, agreed_at: datetime, agreed_revision: int
) -> Phase:
    return Phase(
        plan_id=PlanId(row["plan_id"]),
        billing_period=BillingPeriod(row["billing_period"]),
        anchor_at=row["anchor_at"],
        started_at=started_at,
        agreed_at=agreed_at,
        agreed_revision=agreed_revision,
    )


def _subscription(row: asyncpg.Record, past_phases: tuple[Phase, ...]) -> Subscription:
    return Subscription(
        id=SubscriptionId(row["id"]),
        customer_id=CustomerId(row["customer_id"]),
        phase=_phase(
            row, row["phase_started_at"], row["phase_agreed_at"], row["phase_agreed_revision"]
        ),
        past_phases=past_phases,
        plan_type=PlanType(row["plan_type"]),
        status=Status(row["status"]),
        pause_reason=row["pause_reason"] and PauseReason(row["pause_reason"]),
        timezone=row["timezone"],
        billing_anchor=BillingAnchor(row["billing_anchor"]),
        start_date=row["start_date"],
        end_date=row["end_date"],
        trial_ends_at=row["trial_ends_at"],
        trial_plan_id=row["trial_plan_id"] and PlanId(row["trial_plan_id"]),
        cancel_at_period_end=row["cancel_at_period_end"],
        cancel_at=row["cancel_at"],
        scheduled_plan_id=row["scheduled_plan_id"] and PlanId(row["scheduled_plan_id"]),
        scheduled_at=row["scheduled_at"],
        canceled_at=row["canceled_at"],
        closed_until=row["closed_until"],
        recheck_from=row["recheck_from"],
        late_usage_checked_at=row["late_usage_checked_at"],
        billing_error=row["billing_error"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
