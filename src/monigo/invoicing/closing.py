"""The period close: what is due by itself is billed, slice by slice, by any number of workers.

A slice is one transaction. It claims due subscriptions that nobody else holds, so that several
workers share the work, and a killed one leaves nothing half done.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monigo import customers, metering, subscriptions, tenancy
from monigo.catalog import PlanType
from monigo.core.errors import DomainError
from monigo.core.ids import InvoiceId, SubscriptionId
from monigo.core.periods import Period
from monigo.infra.database import Database, Tenant, Transaction, as_unavailable
from monigo.infra.ids import new_id
from monigo.infra.logging import logger
from monigo.invoicing import store
from monigo.invoicing.closing_rules import Action, Step, next_step
from monigo.invoicing.happenings import tell_created, tell_finalized
from monigo.invoicing.reckoning import reckon
from monigo.invoicing.types import InvoiceKind, InvoiceStatus, Reckoned, Wanted
from monigo.subscriptions import Due, Subscription

log = logger(__name__)

# Enough to share out each query's cost; few enough that a request never waits long for a row.
SLICE_SIZE = 200
# While a replay counts a period's events anew.
REPLAY_WAIT = timedelta(seconds=2)
# Periods that a request closes by itself; the workers close the rest.
INLINE_MAX = 12


async def close_some(database: Database, tenant: Tenant, *, limit: int = SLICE_SIZE) -> int:
    """Do some of what is due for a tenant; how many subscriptions were looked at.

    When a slice fails, each of its subscriptions is tried by itself: the one at fault is flagged
    and tried again later, and does not stop the others.
    """
    try:
        async with database.transaction(tenant) as tx:
            return await _close_slice(tx, limit, ())
    except Exception as error:
        if as_unavailable(error) is not None:
            raise
        log.warning("slice failed, trying one by one", reason=str(error))
    async with database.transaction(tenant) as tx:
        claimed = [known.id for _, known in await subscriptions.claim(tx, limit)]
    for subscription_id in claimed:
        await _close_alone(database, tenant, subscription_id)
    return len(claimed)


class PeriodClose:
    """The period close as what a test clock lets happen on its way."""

    async def next_due(self, tx: Transaction) -> datetime | None:
        """When something is to be done next for any of the tenant's subscriptions."""
        return await subscriptions.next_due(tx)

    async def run(self, database: Database, tenant: Tenant) -> None:
        """Do all that is due by the tenant's now."""
        while await close_some(database, tenant):
            continue


async def close_now(tx: Transaction, subscription: Subscription) -> Subscription:
    """Do what a change of a locked subscription makes due at once, period by period."""
    await customers.hold(tx, [subscription.customer_id])
    for _ in range(INLINE_MAX):
        step = next_step(subscription, tx.now, grace=timedelta(0))
        if step.action in {Action.NOTHING, Action.SETTLE}:
            break
        (subscription,) = await _take(tx, [(step, subscription)])
        if step.action is Action.OPEN:
            break
    return subscription


async def close_period(tx: Transaction, subscription: Subscription, period: Period) -> None:
    """Close a locked subscription's first open period, which has ended, without its grace time."""
    await customers.hold(tx, [subscription.customer_id])
    await _take(tx, [(Step(Action.CLOSE, period), subscription)])


async def _close_alone(database: Database, tenant: Tenant, subscription_id: SubscriptionId) -> None:
    try:
        async with database.transaction(tenant) as tx:
            await _close_slice(tx, 1, [subscription_id])
    except Exception as error:
        if as_unavailable(error) is not None:
            raise
        reason = error.message if isinstance(error, DomainError) else "internal error"
        log.exception("period not closed", subscription_id=str(subscription_id), reason=reason)
        async with database.transaction(tenant) as tx:
            for due, subscription in await subscriptions.claim(tx, 1, [subscription_id]):
                await subscriptions.set_aside(tx, due, subscription, reason)


async def _close_slice(tx: Transaction, limit: int, only: Sequence[SubscriptionId]) -> int:
    claimed = await subscriptions.claim(tx, limit, only)
    if not claimed:
        return 0
    organization = await tenancy.get_organization(tx)
    grace = timedelta(hours=organization.event_ingestion_grace_period_hours)
    replayed = await metering.running_replays(tx)
    ready: list[tuple[Step, Subscription]] = []
    waiting: list[tuple[Due, datetime]] = []
    for due, subscription in claimed:
        step = next_step(subscription, tx.now, grace=grace)
        if _is_replayed(step, replayed):
            waiting.append((due, tx.now + REPLAY_WAIT))
        else:
            ready.append((step, subscription))
    await subscriptions.wait_until(tx, waiting)
    await customers.hold(tx, {subscription.customer_id for _, subscription in ready})
    await _take(tx, ready, grace=grace)
    return len(claimed)


def _is_replayed(step: Step, replayed: Sequence[Period]) -> bool:
    period = step.period
    if period is None or step.action not in {Action.CLOSE, Action.SETTLE}:
        return False
    return any(window.start < period.end and period.start < window.end for window in replayed)


async def _take(
    tx: Transaction,
    steps: Sequence[tuple[Step, Subscription]],
    *,
    grace: timedelta = timedelta(0),
) -> list[Subscription]:
    """Take one step with each of these locked subscriptions: their invoices, then their state."""
    begun = [(step, await _canceled(tx, step, known)) for step, known in steps]
    wanted = await _with_drafts(
        tx, [item for step, known in begun for item in _wanted(tx, step, known)]
    )
    reckoned = [item for item in await reckon(tx, wanted) if _is_worth_an_invoice(item)]
    if reckoned:
        await write_drafts(tx, reckoned)
    drafts = {known.id for step, known in begun if step.action is Action.DRAFT}
    await finalize_drafts(
        tx, [item for item in reckoned if item.wanted.subscription.id not in drafts]
    )
    changed = [_advanced(tx, step, known) for step, known in begun]
    await subscriptions.save_all(tx, changed)
    await _wait_out_grace(tx, begun, grace)
    return changed


async def write_drafts(tx: Transaction, reckoned: Sequence[Reckoned]) -> None:
    """Store drafts, and tell of those that are new."""
    await store.write_drafts(tx, reckoned)
    await tell_created(tx, reckoned)


async def finalize_drafts(tx: Transaction, reckoned: Sequence[Reckoned]) -> None:
    """Number written drafts, in their order; what comes to nothing is paid at once."""
    numbers: dict[InvoiceId, int] = {}
    for plan_type in PlanType:
        numbers |= await store.finalize(
            tx,
            plan_type,
            [
                (
                    item.wanted.id,
                    InvoiceStatus.FINALIZED if item.totals.total else InvoiceStatus.PAID,
                )
                for item in reckoned
                if item.wanted.subscription.plan_type is plan_type
            ],
        )
    await tell_finalized(tx, reckoned, numbers)


async def _canceled(tx: Transaction, step: Step, subscription: Subscription) -> Subscription:
    if step.cancel_at is None:
        return subscription
    return await subscriptions.cancel(tx, subscription, step.cancel_at)


def _wanted(tx: Transaction, step: Step, subscription: Subscription) -> list[Wanted]:
    """The invoices that a step makes: one, or none."""
    if step.period is None:
        return []
    kind = {
        Action.OPEN: InvoiceKind.INTERIM,
        Action.TRIAL_END: InvoiceKind.INTERIM,
        Action.SETTLE: InvoiceKind.SUPPLEMENTARY,
    }.get(step.action, InvoiceKind.CLOSING)
    period = step.period
    if step.action is Action.TRIAL_END:
        following = subscriptions.period_containing(subscription, period.end)
        if following is None or subscription.status is not subscriptions.Status.ACTIVE:
            return []
        period = following
    if subscriptions.is_trial(subscription, period):
        return []
    is_closing = step.action in {Action.CLOSE, Action.DRAFT}
    return [
        Wanted(
            id=InvoiceId(new_id()),
            subscription=subscription,
            period=period,
            kind=kind,
            created_at=tx.now,
            with_usage=is_closing,
            with_others=is_closing or step.action is Action.SETTLE,
        )
    ]


async def _with_drafts(tx: Transaction, wanted: Sequence[Wanted]) -> list[Wanted]:
    """A closing takes over the draft of its period, with its id.

    The fee of a period that opens is left to its draft, where there is one already.
    """
    if not wanted:
        return []
    drafts = await store.load_drafts_of_periods(
        tx, [(item.subscription.id, item.period) for item in wanted]
    )
    placed: list[Wanted] = []
    for item in wanted:
        draft = drafts.get((item.subscription.id, item.period.start))
        if draft is None or item.kind is InvoiceKind.SUPPLEMENTARY:
            placed.append(item)
        elif item.kind is InvoiceKind.CLOSING:
            placed.append(replace(item, id=draft[0], created_at=draft[1], is_new=False))
    return placed


def _is_worth_an_invoice(reckoned: Reckoned) -> bool:
    """A period always gets its closing invoice; others are made only when they charge something."""
    if reckoned.wanted.kind is InvoiceKind.CLOSING:
        return True
    return any(line.amount for line in reckoned.lines)


def _advanced(tx: Transaction, step: Step, subscription: Subscription) -> Subscription:
    """The subscription after its step."""
    if step.period is not None and step.action in {Action.CLOSE, Action.TRIAL_END}:
        subscription = replace(subscription, closed_until=step.period.end)
    if step.action in {Action.CLOSE, Action.SETTLE}:
        subscription = replace(subscription, recheck_from=None, settled_at=tx.real_now)
    return replace(subscription, billing_error="")


async def _wait_out_grace(
    tx: Transaction, steps: Sequence[tuple[Step, Subscription]], grace: timedelta
) -> None:
    """A closing draft is looked at again when late events have had their time to come."""
    waiting = [
        (Due(known.id, tx.now, 0), step.period.end + grace)
        for step, known in steps
        if step.action is Action.DRAFT and step.period is not None
    ]
    await subscriptions.wait_until(tx, waiting)
