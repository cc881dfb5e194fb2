"""The period close: bills ended periods, slice by slice, by any number of workers."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec.structs import replace

from monigo import catalog, customers, metering, subscriptions, tenancy
from monigo.catalog import BillingMode, PlanType
from monigo.core.errors import ensure
from monigo.core.ids import SubscriptionId
from monigo.core.periods import Period
from monigo.infra.agenda import Entry
from monigo.infra.db import Transaction
from monigo.invoicing import documents
from monigo.invoicing.closing.life_steps import begin_step
from monigo.invoicing.closing.realtime import charge
from monigo.invoicing.closing.rules import Action, Modes, Step, begun_realtime, next_step
from monigo.invoicing.closing.waits import REPLAY_WAIT, is_replayed, wait_for_more, wait_out_grace
from monigo.invoicing.documents import ByWallet, InvoicePayment, Paid, settle
from monigo.invoicing.events import emit_created
from monigo.invoicing.rating import is_worth_an_invoice, rate, resting
from monigo.invoicing.types import InvoiceKind, InvoiceRequest, RatedInvoice
from monigo.subscriptions import PauseReason, Status, Subscription

# Periods that one request closes at most; the workers close the rest.
INLINE_MAX = 12
# What bills at most a fee in advance.
_OPENINGS = (Action.OPEN, Action.TRIAL_END)


async def close_due(tx: Transaction, entries: Sequence[Entry]) -> set[UUID]:
    """Do what is due for subscriptions; those that somebody else holds stay due."""
    subscription_ids = [SubscriptionId(entry.subject) for entry in entries]
    held, busy = await subscriptions.lock_due(tx, subscription_ids)
    if held:
        await _close_slice(tx, held)
    return set(busy)


async def close_now(
    tx: Transaction, subscription: Subscription, *, is_strict: bool = False
) -> Subscription:
    """Do what a change of a locked subscription makes due at once, period by period.

    Raises:
        DomainError: insufficient, if `is_strict` and a wallet has too little.
    """
    await lock_customers(tx, [subscription])
    for _ in range(INLINE_MAX):
        step = next_step(subscription, tx.now, grace=timedelta(0))
        if step.action in {Action.NOTHING, Action.CHECK_LATE_USAGE}:
            break
        (subscription,) = await _take(tx, [(step, subscription)], is_strict=is_strict)
        is_short = subscription.pause_reason is PauseReason.INSUFFICIENT_BALANCE
        if step.action is Action.OPEN or is_short:
            break
    return subscription


async def close_period(tx: Transaction, subscription: Subscription, period: Period) -> None:
    """Close a locked subscription's first open period, which has ended, without its grace time.

    Its customer is locked, too (`lock_customers`).

    Raises:
        DomainError: insufficient, when the customer's wallet has too little.
    """
    await _take(tx, [(Step(Action.CLOSE, period), subscription)], is_strict=True)


async def _close_slice(tx: Transaction, held: Sequence[Subscription]) -> None:
    organization = await tenancy.get_organization(tx)
    grace = timedelta(hours=organization.billing.event_ingestion_grace_period_hours)
    replayed = await metering.running_replays(tx)
    ready: list[tuple[Step, Subscription]] = []
    waiting: list[SubscriptionId] = []
    for subscription in held:
        step = next_step(subscription, tx.now, grace=grace)
        # Or it would be due again and again, and everything behind it would wait.
        has_work = step.action is not Action.NOTHING or not subscriptions.is_due(
            subscription, tx.now
        )
        ensure(has_work, "what is due has something to be done")
        if is_replayed(step, replayed):
            waiting.append(subscription.id)
        else:
            ready.append((step, subscription))
    await subscriptions.look_at(tx, dict.fromkeys(waiting, tx.now + REPLAY_WAIT))
    await lock_customers(tx, [subscription for _, subscription in ready])
    await _take(tx, ready, grace=grace)


async def lock_customers(tx: Transaction, held: Sequence[Subscription]) -> None:
    """Lock the customers of locked subscriptions, and make known what events pay them until now.

    What payout rules come to is known once events are folded, and no fold ends before the bills
    are made. Customers come first everywhere: who waits for one holds up no fold.
    """
    await customers.lock(tx, {one.customer_id for one in held})
    if any(one.plan_type is PlanType.PAYOUT for one in held):
        await metering.fold_waiting(tx)


async def _take(
    tx: Transaction,
    steps: Sequence[tuple[Step, Subscription]],
    *,
    grace: timedelta = timedelta(0),
    is_strict: bool = False,
) -> list[Subscription]:
    """Take one step with each of these locked subscriptions: their invoices, then their state."""
    begun = [(step, await begin_step(tx, step, known)) for step, known in steps]
    modes_of_plans = await _modes_of_plans(tx, begun)
    modes = _billing_modes(begun, modes_of_plans)
    wanted = [
        item
        for step, known in begun
        if not (step.action in _OPENINGS and modes[known.id] is BillingMode.REALTIME)
        for item in _wanted(step, known)
    ]
    rated = await rate(tx, await _with_drafts(tx, wanted, modes))
    small = resting(rated)
    worth = [item for item in rated if is_worth_an_invoice(item)]
    waiting = {known.id for step, known in begun if step.action is Action.DRAFT}
    drafts = [item for item in worth if item.wanted.subscription.id in waiting]
    await emit_created(tx, worth)
    await documents.write_drafts(tx, drafts)
    ended = [item for item in worth if item.wanted.subscription.id not in waiting]
    short = await _finalize(tx, ended, is_strict)
    for step, known in begun:
        if step.action is Action.CHECK_LATE_USAGE and modes[known.id] is not BillingMode.POSTPAID:
            await documents.pay_waiting(tx, known.customer_id)
    opened = [known for step, known in begun if step.action is Action.OPEN]
    short |= await charge(tx, [one for one in opened if modes[one.id] is BillingMode.REALTIME])
    changed = [
        _advanced(tx, step, known, is_short=known.id in short, resting_from=small.get(known.id))
        for step, known in begun
    ]
    await subscriptions.save_billed(tx, changed)
    await wait_out_grace(tx, begun, grace)
    await wait_for_more(tx, [known for known in changed if known.id in small])
    taken = [
        await _paused_or_resumed(tx, step, known, mode=modes[known.id], is_short=known.id in short)
        for (step, _), known in zip(begun, changed, strict=True)
    ]
    return await _charge_begun(tx, [step for step, _ in begun], taken, modes_of_plans)


async def _charge_begun(
    tx: Transaction, steps: Sequence[Step], taken: Sequence[Subscription], modes: Modes
) -> list[Subscription]:
    """Charge the realtime periods that these steps let begin, and pause where that is too much."""
    if BillingMode.REALTIME not in modes.values():
        return list(taken)
    short = await charge(
        tx,
        [
            known
            for step, known in zip(steps, taken, strict=True)
            if begun_realtime(step, known, modes, tx.now)
        ],
    )
    return [
        await subscriptions.pause_for_balance(tx, known, is_realtime=True)
        if known.id in short
        else known
        for known in taken
    ]


async def _modes_of_plans(tx: Transaction, begun: Sequence[tuple[Step, Subscription]]) -> Modes:
    """How all plans are paid for that these subscriptions were or are on."""
    phases = {phase.plan_id for _, one in begun for phase in (*one.past_phases, one.phase)}
    plans = await catalog.get_plans(tx, phases)
    return {plan_id: plan.details.billing_mode for plan_id, plan in plans.items()}


def _billing_modes(
    begun: Sequence[tuple[Step, Subscription]], modes: Modes
) -> dict[SubscriptionId, BillingMode]:
    """How the period that each step bills is paid for; after a trial that is the first regular."""
    phases = {
        one.id: subscriptions.phase_at(
            one,
            step.period.end
            if step.action is Action.TRIAL_END and step.period is not None
            else one.closed_until,
        )
        for step, one in begun
    }
    return {known: modes[phase.plan_id] for known, phase in phases.items()}


async def _finalize(
    tx: Transaction,
    rated: Sequence[RatedInvoice],
    is_strict: bool,  # noqa: FBT001 - passed on
) -> set[SubscriptionId]:
    """Pay from wallets where the plan is prepaid, and finalize; returns those with too little.

    Of these only invoices of ended subscriptions become final: later credits pay them. Others stay
    drafts.
    """
    paid = await documents.pay(tx, rated)
    if paid.short and is_strict:
        raise documents.insufficient(next(item for item in rated if item.wanted.id in paid.short))
    deferred = [
        item
        for item in rated
        if item.wanted.id in paid.short and item.wanted.subscription.status is not Status.CANCELED
    ]
    await documents.write_drafts(tx, deferred)
    ids = {item.wanted.id for item in deferred}
    await make_final(tx, [item for item in rated if item.wanted.id not in ids], paid)
    return {item.wanted.subscription.id for item in deferred}


async def _paused_or_resumed(
    tx: Transaction, step: Step, subscription: Subscription, *, mode: BillingMode, is_short: bool
) -> Subscription:
    if is_short:
        is_realtime = mode is BillingMode.REALTIME
        return await subscriptions.pause_for_balance(tx, subscription, is_realtime=is_realtime)
    is_waiting = subscription.pause_reason is PauseReason.INSUFFICIENT_BALANCE
    if is_waiting and step.action in {Action.CLOSE, Action.OPEN}:
        return await subscriptions.lift_pause(tx, subscription)
    return subscription


async def make_final(tx: Transaction, rated: Sequence[RatedInvoice], paid: Paid) -> None:
    """Number and store rated invoices, in their order, with what wallets paid of them.

    What comes to nothing is paid at once, and so is what wallets paid wholly.
    """
    await settle(
        tx,
        [InvoicePayment(item, ByWallet(paid.parts.get(item.wanted.id, ()))) for item in rated],
    )


def _wanted(step: Step, subscription: Subscription) -> list[InvoiceRequest]:
    """The invoices that a step makes: one, or none."""
    if step.period is None:
        return []
    period = step.period
    if step.action is Action.TRIAL_END:
        following = subscriptions.period_containing(subscription, period.end)
        if following is None or subscription.status is not Status.ACTIVE:
            return []
        period = following
    if subscriptions.is_trial(subscription, period):
        return []
    make = {
        Action.OPEN: InvoiceRequest.fee_of,
        Action.TRIAL_END: InvoiceRequest.fee_of,
        Action.CHECK_LATE_USAGE: InvoiceRequest.supplementary_of,
        Action.CLOSE: InvoiceRequest.closing_of,
        Action.DRAFT: InvoiceRequest.closing_of,
    }[step.action]
    return [make(subscription, period)]


async def _with_drafts(
    tx: Transaction, wanted: Sequence[InvoiceRequest], modes: Mapping[SubscriptionId, BillingMode]
) -> list[InvoiceRequest]:
    """A closing takes over the draft of its period, with its id.

    The fee of a period that opens is left to its draft, where there is one already; a prepaid one's
    draft is the fee that could not be paid before.
    """
    if not wanted:
        return []
    drafts = await documents.load_drafts_of_periods(
        tx, [(item.subscription.id, item.period) for item in wanted]
    )
    placed: list[InvoiceRequest] = []
    for item in wanted:
        draft = drafts.get((item.subscription.id, item.period.start))
        if draft is None or item.kind is InvoiceKind.SUPPLEMENTARY:
            placed.append(item)
        elif (
            item.kind is InvoiceKind.CLOSING
            or modes[item.subscription.id] is not BillingMode.POSTPAID
        ):
            placed.append(item.replacing(draft))
    return placed


def _advanced(
    tx: Transaction,
    step: Step,
    subscription: Subscription,
    *,
    is_short: bool,
    resting_from: datetime | None,
) -> Subscription:
    """The subscription after its step; a period that could not be paid does not advance.

    `resting_from` is where the periods begin whose differences are too small for an invoice yet.
    """
    if is_short and step.action is not Action.TRIAL_END:
        return subscription
    if step.period is not None and step.action in {Action.CLOSE, Action.TRIAL_END}:
        subscription = replace(subscription, closed_until=step.period.end)
    if step.action in {Action.CLOSE, Action.CHECK_LATE_USAGE}:
        subscription = replace(subscription, recheck_from=None, late_usage_checked_at=tx.real_now)
        is_resting = resting_from is not None
        if is_resting and subscriptions.next_due_at(subscription, tx.now) is not None:
            subscription = replace(subscription, recheck_from=resting_from)
    return replace(subscription, billing_error="")
