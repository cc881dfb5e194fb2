"""The SQL of thresholds that were reached."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import asyncpg
from msgspec import Struct

from monigo.alerts.types import (
    AlertScope,
    AlertState,
    AlertType,
    Reached,
    StateFilter,
    StateStatus,
    Summary,
    Threshold,
)
from monigo.core.ids import (
    AlertId,
    AlertStateId,
    CustomerId,
    MetricId,
    SubscriptionId,
    WalletId,
)
from monigo.core.paging import Page, PageRequest
from monigo.core.periods import Period
from monigo.infra.db import Transaction
from monigo.infra.ids import new_id

COLUMNS = """
    state.id, state.alert_id, alert.type, alert.scope,
    coalesce(alert.plan_id, alert.subscription_id, alert.customer_id) AS scope_id,
    alert.metric_id,
    CASE WHEN alert.currency <> '' OR state.wallet_id IS NULL THEN alert.currency
    ELSE (
        SELECT currency FROM wallets WHERE org_id = $1 AND is_test = $2 AND id = state.wallet_id
    ) END AS currency,
    state.customer_id, state.subscription_id, state.period_start, state.period_end,
    state.wallet_id, state.threshold, state.label, state.value, state.status, state.triggered_at,
    state.acknowledged_at, coalesce(state.acknowledged_by, '') AS acknowledged_by,
    state.updated_at
"""

JOINED = """
    FROM alert_states AS state
    JOIN alerts AS alert ON alert.org_id = $1 AND alert.is_test = $2 AND alert.id = state.alert_id
    WHERE state.org_id = $1 AND state.is_test = $2
"""

# What somebody else has stored already is not stored again.
INSERT = """
    INSERT INTO alert_states (
        org_id, is_test, id, alert_id, customer_id, subscription_id, period_start, period_end,
        wallet_id, threshold, label, value, status, triggered_at, updated_at
    )
    SELECT $1, $2, id, alert_id, customer_id, subscription_id, period_start, period_end, wallet_id,
        threshold, label, value, 'triggered', $3, $3
    FROM unnest(
        $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::timestamptz[], $9::timestamptz[],
        $10::uuid[], $11::numeric[], $12::text[], $13::numeric[]
    ) AS found (
        id, alert_id, customer_id, subscription_id, period_start, period_end, wallet_id, threshold,
        label, value
    )
    ON CONFLICT DO NOTHING
    RETURNING id
"""

SELECT_THESE = f"SELECT {COLUMNS} {JOINED} AND state.id = ANY ($3::uuid[])"

SELECT_TRIGGERED_OF = f"""
    SELECT {COLUMNS} {JOINED} AND state.alert_id = $3 AND state.status = 'triggered'
    ORDER BY state.id
    LIMIT $4
"""

MATCHING = f"""
    {JOINED}
        AND ($3::text IS NULL OR alert.type = $3)
        AND ($4::uuid IS NULL OR state.customer_id = $4)
        AND ($5::text IS NULL OR state.status = $5)
        AND ($6::timestamptz IS NULL OR state.triggered_at >= $6)
        AND ($7::timestamptz IS NULL OR state.triggered_at < $7)
"""

SELECT_PAGE = f"""
    SELECT {COLUMNS} {MATCHING}
    ORDER BY state.triggered_at DESC, state.id DESC
    LIMIT $8 OFFSET $9
"""

COUNT = f"SELECT count(*) {MATCHING}"

SUMMARY = f"""
    SELECT state.status, alert.type, count(*) AS number {JOINED}
    GROUP BY state.status, alert.type
"""

ACKNOWLEDGE = """
    UPDATE alert_states
    SET status = 'acknowledged', acknowledged_at = $4, acknowledged_by = $5, updated_at = $4
    WHERE org_id = $1 AND is_test = $2 AND id = ANY ($3::uuid[])
"""

SELECT_OF_PERIODS = """
    SELECT alert_id, subscription_id, period_start, threshold FROM alert_states
    WHERE org_id = $1 AND is_test = $2 AND alert_id = ANY ($3::uuid[])
        AND subscription_id = ANY ($4::uuid[]) AND period_start >= $5
"""

RESOLVE_ENDED = """
    UPDATE alert_states AS state SET status = 'resolved', updated_at = $4
    FROM alerts AS alert
    WHERE state.org_id = $1 AND state.is_test = $2 AND state.subscription_id = ANY ($3::uuid[])
        AND state.status = 'triggered' AND state.period_end <= $4
        AND alert.org_id = $1 AND alert.is_test = $2 AND alert.id = state.alert_id
        AND NOT alert.require_acknowledgment
"""

SELECT_OPEN_OF_WALLETS = """
    SELECT alert_id, wallet_id, threshold FROM alert_states
    WHERE org_id = $1 AND is_test = $2 AND wallet_id = ANY ($3::uuid[]) AND rearmed_at IS NULL
"""

# A balance that is back at the threshold lets it be reached again.
REARM = """
    UPDATE alert_states AS state
    SET rearmed_at = $5, updated_at = $5,
        status = CASE WHEN state.status = 'triggered' AND NOT alert.require_acknowledgment
            THEN 'resolved' ELSE state.status
        END
    FROM unnest($3::uuid[], $4::numeric[]) AS held (wallet_id, balance), alerts AS alert
    WHERE state.org_id = $1 AND state.is_test = $2 AND state.wallet_id = held.wallet_id
        AND state.rearmed_at IS NULL AND state.threshold <= held.balance
        AND alert.org_id = $1 AND alert.is_test = $2 AND alert.id = state.alert_id
"""

# Of an alert, a subscription and a period.
OfPeriod = tuple[AlertId, SubscriptionId, datetime]


class Matching(Struct, frozen=True):
    """As `StateFilter`, with the customer found."""

    wanted: StateFilter
    customer_id: CustomerId | None

    @property
    def arguments(self) -> tuple[object, ...]:
        """As `MATCHING` takes them."""
        wanted = self.wanted
        return (
            wanted.type and wanted.type.value,
            self.customer_id,
            wanted.status and wanted.status.value,
            wanted.start,
            wanted.end,
        )


async def insert(tx: Transaction, found: Sequence[Reached]) -> list[AlertState]:
    """Store what was reached first now, in the given order; what was reached before is left out."""
    ids = [AlertStateId(new_id()) for _ in found]
    rows = await tx.fetch(
        INSERT,
        tx.now,
        ids,
        [one.alert.id for one in found],
        [one.customer_id for one in found],
        [one.subscription_id for one in found],
        [one.period and one.period.start for one in found],
        [one.period and one.period.end for one in found],
        [one.wallet_id for one in found],
        [one.threshold.value for one in found],
        [one.threshold.label for one in found],
        [one.value for one in found],
    )
    stored = {row["id"] for row in rows}
    return [
        AlertState(
            id=state_id,
            alert_id=one.alert.id,
            type=one.alert.type,
            scope=one.alert.scope,
            scope_id=one.alert.scope_id,
            metric_id=one.alert.metric_id,
            currency=one.currency,
            customer_id=one.customer_id,
            subscription_id=one.subscription_id,
            period=one.period,
            wallet_id=one.wallet_id,
            threshold=one.threshold,
            value=one.value,
            status=StateStatus.TRIGGERED,
            triggered_at=tx.now,
            acknowledged_at=None,
            acknowledged_by="",
            updated_at=tx.now,
        )
        for state_id, one in zip(ids, found, strict=True)
        if state_id in stored
    ]


async def load(tx: Transaction, state_ids: Collection[UUID]) -> list[AlertState]:
    """States by id, in no order; unknown ones are absent."""
    return [_state(row) for row in await tx.fetch(SELECT_THESE, list(state_ids))]


async def load_triggered(tx: Transaction, alert_id: AlertId, limit: int) -> list[AlertState]:
    """An alert's states that are triggered, the oldest first."""
    return [_state(row) for row in await tx.fetch(SELECT_TRIGGERED_OF, alert_id, limit)]


async def acknowledge(tx: Transaction, state_ids: Collection[AlertStateId], by: str) -> None:
    """Note who has seen these states of locked alerts."""
    await tx.execute(ACKNOWLEDGE, list(state_ids), tx.now, by)


async def list_page(tx: Transaction, request: PageRequest, matching: Matching) -> Page[AlertState]:
    """States that match, newest first."""
    pages = tx.pieces(SELECT_PAGE, *matching.arguments, request.limit, request.offset)
    found = [_state(row) async for rows in pages for row in rows]
    return Page(found, await tx.fetchval(COUNT, *matching.arguments), request.offset)


async def summarize(tx: Transaction) -> Summary:
    """How many states are in which status, and of those triggered how many of a type."""
    by_status = dict.fromkeys(StateStatus, 0)
    by_type = dict.fromkeys(AlertType, 0)
    for row in await tx.fetch(SUMMARY):
        status = StateStatus(row["status"])
        by_status[status] += row["number"]
        if status is StateStatus.TRIGGERED:
            by_type[AlertType(row["type"])] += row["number"]
    return Summary(by_status, by_type)


async def list_of_periods(
    tx: Transaction,
    alert_ids: Collection[AlertId],
    subscription_ids: Collection[SubscriptionId],
    since: datetime,
) -> dict[OfPeriod, set[Decimal]]:
    """Which thresholds were reached in periods that began at `since` or later."""
    found: dict[OfPeriod, set[Decimal]] = {}
    rows = await tx.fetch(SELECT_OF_PERIODS, list(alert_ids), list(subscription_ids), since)
    for row in rows:
        key = row["alert_id"], row["subscription_id"], row["period_start"]
        found.setdefault(key, set()).add(row["threshold"])
    return found


async def resolve_ended(tx: Transaction, subscription_ids: Collection[SubscriptionId]) -> None:
    """Resolve what was reached in periods that are over, and that nobody has to acknowledge."""
    await tx.execute(RESOLVE_ENDED, list(subscription_ids), tx.now)


async def list_open(
    tx: Transaction, wallet_ids: Collection[WalletId]
) -> set[tuple[AlertId, WalletId, Decimal]]:
    """The thresholds below which these wallets' balances were found, and not back since."""
    rows = await tx.fetch(SELECT_OPEN_OF_WALLETS, list(wallet_ids))
    return {(row["alert_id"], row["wallet_id"], row["threshold"]) for row in rows}


async def rearm(tx: Transaction, balances: Sequence[tuple[WalletId, Decimal]]) -> None:
    """Note which thresholds these balances are back at."""
    ids, amounts = [one for one, _ in balances], [amount for _, amount in balances]
    await tx.execute(REARM, ids, amounts, tx.now)


def _state(row: asyncpg.Record) -> AlertState:
    start, end = row["period_start"], row["period_end"]
    return AlertState(
        id=AlertStateId(row["id"]),
        alert_id=AlertId(row["alert_id"]),
        type=AlertType(row["type"]),
        scope=AlertScope(row["scope"]),
        scope_id=row["scope_id"],
        metric_id=row["metric_id"] and MetricId(row["metric_id"]),
        currency=row["currency"],
        customer_id=CustomerId(row["customer_id"]),
        subscription_id=row["subscription_id"] and SubscriptionId(row["subscription_id"]),
        period=None if start is None else Period(start, end),
        wallet_id=row["wallet_id"] and WalletId(row["wallet_id"]),
        threshold=Threshold(row["threshold"], row["label"]),
        value=row["value"],
        status=StateStatus(row["status"]),
        triggered_at=row["triggered_at"],
        acknowledged_at=row["acknowledged_at"],
        acknowledged_by=row["acknowledged_by"],
        updated_at=row["updated_at"],
    )
