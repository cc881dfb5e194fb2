"""The due work of alerts: looks that folds and movements, changes and new periods cause."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from monigo import metering, wallets
from monigo.alerts import store, watching_store
from monigo.alerts.due import ALERT_LOOK, COST_LOOK, SUBSCRIPTION_LOOK
from monigo.alerts.looking import (
    OF_SUBSCRIPTIONS,
    look_at_subscriptions,
    look_at_wallets,
    subscriptions_by_id,
)
from monigo.alerts.rules import next_look
from monigo.alerts.types import AlertType
from monigo.core.ids import WalletId
from monigo.infra import agenda
from monigo.infra.agenda import Batches, Claim, Claims, Entry, Slices, Steps, Task
from monigo.infra.db import Database, Transaction
from monigo.metering import Watcher

# Put on the agenda in one transaction.
TARGETS_A_STEP = 1_000
# Looked at where they were found; more of them are put on the agenda.
LOOKED_AT_AT_ONCE_MAX = 200
# Rated in one transaction.
COSTS_A_SLICE = 200
# How late a cost may be, with the time that looks take (behaviour page, Alerts: a minute).
COST_EVERY_SECONDS = 20


async def _look_at_usage(database: Database, claim: Claim, stop: asyncio.Event) -> None:
    """Look at those whose usage, as folded meanwhile, may have reached a threshold."""
    del stop  # What is not looked at stays kept.
    while True:
        async with database.transaction(claim.tenant) as tx:
            touched = await metering.take_touched(tx, Watcher.USAGE)
            if not touched:
                await claim.finish(tx)
                return
            near = await watching_store.near(tx, touched)
            later = near[LOOKED_AT_AT_ONCE_MAX:]
            await agenda.put(tx, SUBSCRIPTION_LOOK, dict.fromkeys(later, tx.now))
            known = await subscriptions_by_id(tx, near[:LOOKED_AT_AT_ONCE_MAX])
            await look_at_subscriptions(tx, known, [AlertType.USAGE_EXCEEDED])


async def _look_at_costs(database: Database, claim: Claim, stop: asyncio.Event) -> None:
    """Have those looked at whose cost changed by what was folded meanwhile."""
    del stop
    while True:
        async with database.transaction(claim.tenant) as tx:
            touched = await metering.take_touched(tx, Watcher.COST)
            if not touched:
                await claim.finish(tx)
                return
            costly = await watching_store.costly(tx, {one.customer_id for one in touched})
            await agenda.put(tx, COST_LOOK, dict.fromkeys(costly, tx.real_now))


async def _look_at_cost(tx: Transaction, entries: Sequence[Entry]) -> tuple[()]:
    known = await subscriptions_by_id(tx, [entry.subject for entry in entries])
    await look_at_subscriptions(tx, known, [AlertType.COST_EXCEEDED])
    return ()


async def _look(database: Database, claims: Claims, stop: asyncio.Event) -> None:
    """Look at subscriptions, and again when their next periods begin."""
    del stop
    async with database.transaction(claims.tenant) as tx:
        known = await subscriptions_by_id(tx, claims.subjects)
        await look_at_subscriptions(tx, known, OF_SUBSCRIPTIONS)
        again_at: dict[UUID, datetime] = {}
        if await store.enabled_types(tx):
            instants = {one.id: next_look(one, tx.now) for one in known}
            again_at |= {one: at for one, at in instants.items() if at is not None}
        await claims.finish(tx, again_at=again_at)


async def _look_at_wallets(database: Database, claims: Claims, stop: asyncio.Event) -> None:
    del stop
    async with database.transaction(claims.tenant) as tx:
        await look_at_wallets(tx, [WalletId(one) for one in claims.subjects])
        await claims.finish(tx)


async def _spread(database: Database, claim: Claim, stop: asyncio.Event) -> None:
    """Have all looked at that is in an alert's scope."""
    del stop
    after: UUID | None = None
    while True:
        async with database.transaction(claim.tenant) as tx:
            alert = await store.load(tx, claim.subject)
            targets: list[UUID] = []
            if alert is not None and alert.is_enabled:
                find, kind = watching_store.list_subscriptions, SUBSCRIPTION_LOOK
                if alert.type is AlertType.WALLET_BALANCE_DROPPED:
                    find, kind = watching_store.list_wallets, wallets.BALANCE_MOVED
                targets = [*await find(tx, alert, after=after, limit=TARGETS_A_STEP)]
                await agenda.put(tx, kind, dict.fromkeys(targets, tx.now))
            if not targets:
                await claim.finish(tx)
                return
            after = targets[-1]


# A tenant's looks come one after the other.
SPREAD = Task(ALERT_LOOK, Steps(_spread), concurrency=1)
LOOK_AT_SUBSCRIPTIONS = Task(SUBSCRIPTION_LOOK, Batches(_look), concurrency=1)
LOOK_AT_WALLETS = Task(wallets.BALANCE_MOVED, Batches(_look_at_wallets), concurrency=1)
LOOK_AT_USAGE = Task(metering.USAGE_FOLDED[Watcher.USAGE], Steps(_look_at_usage))
LOOK_AT_COSTS = Task(
    metering.USAGE_FOLDED[Watcher.COST], Steps(_look_at_costs), every_seconds=COST_EVERY_SECONDS
)
LOOK_AT_COST = Task(COST_LOOK, Slices(_look_at_cost, COSTS_A_SLICE), concurrency=1)

# Those that follow a test clock, and those that don't.
CLOCK_TASKS: tuple[Task, ...] = (SPREAD, LOOK_AT_SUBSCRIPTIONS, LOOK_AT_WALLETS)
TASKS: tuple[Task, ...] = (LOOK_AT_USAGE, LOOK_AT_COSTS, LOOK_AT_COST)
