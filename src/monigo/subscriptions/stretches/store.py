"""All SQL of stretches: the instants whose usage a subscription may bill."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from monigo.catalog import PlanType
from monigo.core.errors import DomainError, conflict
from monigo.core.ids import CustomerId, SubscriptionId
from monigo.infra.db import Transaction, violations_as
from monigo.subscriptions.types import FOREVER, Subscription

INSERT_STRETCH = """
    INSERT INTO subscription_stretches (
        org_id, is_test, subscription_id, customer_id, plan_type, started_at, ended_at
    ) VALUES ($1, $2, $3, $4, $5, $6, $7)
"""

DELETE_FROM = """
    DELETE FROM subscription_stretches
    WHERE org_id = $1 AND is_test = $2 AND subscription_id = $3 AND started_at >= $4
"""

CUT_AT = """
    UPDATE subscription_stretches SET ended_at = $4
    WHERE org_id = $1 AND is_test = $2 AND subscription_id = $3
        AND (ended_at IS NULL OR ended_at > $4)
"""

SELECT_LAST = """
    SELECT coalesce(ended_at, $6)
    FROM subscription_stretches
    WHERE org_id = $1 AND is_test = $2 AND customer_id = $3 AND plan_type = $4
        AND subscription_id <> $5
    ORDER BY ended_at DESC NULLS FIRST
    LIMIT 1
"""


# The customer's subscriptions before it, deleted or not; one that has not ended yet ends later than
# this one begins. One that ended before its time was to be billed never began, or in its trial.
SELECT_BEFORE = """
    SELECT asked.subscription_id, before.start_date, coalesce(before.canceled_at, $7) AS ended_at,
        coalesce(before.canceled_at, $7) > greatest(before.start_date, before.trial_ends_at)
            AS is_billed
    FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::timestamptz[])
        AS asked (subscription_id, customer_id, plan_type, start_date)
    JOIN subscriptions AS before ON before.org_id = $1 AND before.is_test = $2
        AND before.customer_id = asked.customer_id AND before.plan_type = asked.plan_type
        AND before.start_date <= asked.start_date AND before.id <> asked.subscription_id
    WHERE coalesce(before.canceled_at, $7) > asked.start_date - $8::interval
"""


def _overlap() -> DomainError:
    return conflict(
        "usage_taken", "another subscription of this plan type bills the customer's usage then"
    )


ERRORS = {"subscription_stretches_never_overlap": _overlap}


async def insert(
    tx: Transaction, subscription: Subscription, started_at: datetime, ended_at: datetime | None
) -> None:
    """Note a stretch; without an end it has none yet. Raises conflict where another has it."""
    with violations_as(ERRORS):
        await tx.execute(
            INSERT_STRETCH,
            subscription.id,
            subscription.customer_id,
            subscription.plan_type.value,
            started_at,
            ended_at,
        )


async def cut(tx: Transaction, subscription_id: SubscriptionId, ended_at: datetime) -> None:
    """Note that a subscription bills nothing from an instant on."""
    await tx.execute(DELETE_FROM, subscription_id, ended_at)
    await tx.execute(CUT_AT, subscription_id, ended_at)


class Earlier(Struct, frozen=True):
    """A subscription before another one of its customer and type."""

    start_date: datetime
    ended_at: datetime
    is_billed: bool


async def load_earlier(
    tx: Transaction, known: Sequence[Subscription], length: timedelta
) -> dict[SubscriptionId, list[Earlier]]:
    """The subscriptions before each of these that ended at most so long before it began."""
    rows = await tx.fetch(
        SELECT_BEFORE,
        [one.id for one in known],
        [one.customer_id for one in known],
        [one.plan_type.value for one in known],
        [one.start_date for one in known],
        FOREVER,
        length,
    )
    found: dict[SubscriptionId, list[Earlier]] = {one.id: [] for one in known}
    for row in rows:
        earlier = Earlier(row["start_date"], row["ended_at"], row["is_billed"])
        found[SubscriptionId(row["subscription_id"])].append(earlier)
    return found


async def last_end(
    tx: Transaction,
    customer_id: CustomerId,
    plan_type: PlanType,
    *,
    besides: SubscriptionId,
) -> datetime | None:
    """The last instant up to which other subscriptions may bill; the last there is: no end yet."""
    return await tx.fetchval(SELECT_LAST, customer_id, plan_type.value, besides, FOREVER)
