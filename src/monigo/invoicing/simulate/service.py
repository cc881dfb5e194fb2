"""The use cases of simulations: past usage priced under proposed prices. Nothing is changed.

A small one is priced while its client waits; a larger one is a job, which goes through the
subscriptions page by page, each in a short transaction, and starts again from nothing where it was
interrupted.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from monigo import catalog, customers, metering, subscriptions
from monigo.catalog import Metric
from monigo.core.errors import DomainError, ErrorKind, conflict, invalid, not_found
from monigo.core.ids import CustomerId, PlanId, PlanSimulationId, SubscriptionId, parse_id
from monigo.core.periods import Period
from monigo.infra import queue
from monigo.infra.db import Transaction
from monigo.infra.ids import new_id
from monigo.infra.queue import JobKind
from monigo.invoicing import rating
from monigo.invoicing.rating import load_closed_terms, load_running_terms
from monigo.invoicing.simulate import store
from monigo.invoicing.simulate.rules import (
    MetricVersion,
    Report,
    check_span,
    held_price_list,
    past_periods,
    proposed_price_list,
    subtotal_of,
)
from monigo.invoicing.simulate.types import (
    NewSimulation,
    Proposal,
    SimulatedPeriod,
    Simulation,
    SimulationStatus,
)
from monigo.invoicing.types import Terms
from monigo.metering import Usage, UsageQuery
from monigo.subscriptions import Subscription

SIMULATION = JobKind("plan_simulation", "plan_simulations")
# As much as a request prices within a second or so; more is a job.
INLINE_SUBSCRIPTIONS_MAX = 100
INLINE_PERIODS_MAX = 1_000
# What one job goes through in minutes; nobody waits longer for an answer to "what if".
SUBSCRIPTIONS_MAX = 100_000
# Customers that somebody names one by one.
CUSTOMERS_MAX = 1_000
# Nobody means to wait for more of them.
UNFINISHED_MAX = 10
# A short transaction's worth.
PAGE_SIZE = 100
# Keeps one statement's arguments small, however many periods a page has.
MEASURED_AT_ONCE = 2_000


class Cursor(Struct, frozen=True):
    """How far a simulation came: behind which subscription it goes on, and how many are done."""

    after: SubscriptionId | None = None
    done: int = 0


class PlannedSimulation(Struct, frozen=True):
    """A simulation that was checked and counted. With an id it is stored, and a job prices it.

    `request` is its proposal as it is stored (`store.request_of`).
    """

    simulation_id: PlanSimulationId | None
    plan_id: PlanId
    request: dict[str, Any]
    subscriptions_total: int
    asked_at: datetime


async def plan_simulation(tx: Transaction, wanted: NewSimulation) -> PlannedSimulation:
    """Check what is to be simulated, and whether `price_at_once` can do it or a job must.

    Raises:
        DomainError: not_found and invalid, as an edit of the plan would; invalid span; conflict,
            when it is too much, or too many simulations wait.
    """
    proposal = await _proposal(tx, wanted)
    total = await subscriptions.count_on_plan(
        tx, proposal.plan_id, proposal.customer_ids, with_ended=proposal.span is not None
    )
    if total > SUBSCRIPTIONS_MAX:
        message = f"the plan has more than {SUBSCRIPTIONS_MAX} subscriptions: name customer_ids"
        raise conflict("simulation_too_large", message)
    is_small = await _is_small(tx, proposal, total)
    simulation_id = None if is_small else await _store(tx, proposal, total)
    request = store.request_of(proposal)
    return PlannedSimulation(simulation_id, proposal.plan_id, request, total, tx.now)


async def price_at_once(tx: Transaction, planned: PlannedSimulation) -> Simulation:
    """Price a small simulation; it only reads.

    Raises:
        DomainError: not_found, when its plan is gone.
    """
    await catalog.get_plan(tx, planned.plan_id)
    proposal = store.proposal_of(planned.plan_id, planned.request)
    page = await _page(tx, proposal, after=None, limit=INLINE_SUBSCRIPTIONS_MAX)
    report = await start_report(tx, proposal)
    report.add(await _priced(tx, proposal, await _pieces(tx, proposal, page, planned.asked_at)))
    return Simulation(
        id=None,
        proposal=proposal,
        status=SimulationStatus.COMPLETED,
        subscriptions_total=planned.subscriptions_total,
        subscriptions_done=planned.subscriptions_total,
        report=report.as_json(),
        error_message="",
        created_at=planned.asked_at,
        completed_at=planned.asked_at,
    )


async def get_simulation(tx: Transaction, simulation_id: UUID) -> Simulation:
    """One simulation. Raises not_found."""
    simulation = await store.load(tx, simulation_id)
    if simulation is None:
        raise not_found("simulation")
    return simulation


async def begin_simulation(tx: Transaction, simulation_id: UUID) -> Simulation | None:
    """Take on a simulation, from nothing; None where it has ended or is gone."""
    return await store.begin(tx, PlanSimulationId(simulation_id))


async def start_report(tx: Transaction, proposal: Proposal) -> Report:
    """An empty report in the plan's currency."""
    plans = await catalog.get_plans(tx, [proposal.plan_id])
    return Report(plans[proposal.plan_id].details.currency)


async def simulate_some(
    tx: Transaction, simulation: Simulation, cursor: Cursor, report: Report
) -> Cursor | None:
    """The next page of a simulation that is under way; None at its end, or when it is gone."""
    page = await _page(tx, simulation.proposal, after=cursor.after, limit=PAGE_SIZE)
    if not page:
        return None
    pieces = await _pieces(tx, simulation.proposal, page, simulation.created_at)
    report.add(await _priced(tx, simulation.proposal, pieces))
    following = Cursor(page[-1].id, cursor.done + len(page))
    if not await store.advance(tx, _id(simulation), following.done):
        return None
    return following


async def complete_simulation(tx: Transaction, simulation: Simulation, report: Report) -> None:
    """Close a simulation with its report, unless it has ended."""
    await queue.complete(tx, SIMULATION, _id(simulation), report.as_json())


async def _is_small(tx: Transaction, proposal: Proposal, total: int) -> bool:
    """Whether a request may wait for all that is to be priced."""
    if total > INLINE_SUBSCRIPTIONS_MAX:
        return False
    page = await _page(tx, proposal, after=None, limit=INLINE_SUBSCRIPTIONS_MAX)
    return len(await _pieces(tx, proposal, page, tx.now)) <= INLINE_PERIODS_MAX


async def _store(tx: Transaction, proposal: Proposal, total: int) -> PlanSimulationId:
    """Leave a simulation to a job."""
    if len(await queue.list_unfinished(tx, SIMULATION)) >= UNFINISHED_MAX:
        message = f"{UNFINISHED_MAX} simulations are not finished yet"
        raise conflict("too_many_simulations", message)
    stored = await store.insert(tx, PlanSimulationId(new_id()), proposal, total=total)
    await queue.start(tx, SIMULATION, _id(stored))
    return _id(stored)


async def _proposal(tx: Transaction, wanted: NewSimulation) -> Proposal:
    span = check_span(wanted.start, wanted.end, tx.now)
    if span is not None and span.start < await metering.events_kept_from(tx):
        raise invalid({"from": "lies before the events that are kept"})
    plan_id = parse_id(wanted.plan)
    try:
        if plan_id is None:
            raise not_found("plan")
        plan = await catalog.get_plan(tx, plan_id)
    except DomainError as error:
        raise DomainError(
            error.kind, error.code, error.message, fields={"plan_id": error.message}
        ) from error
    await catalog.check_prices(tx, plan, wanted.prices)
    return Proposal(
        plan_id=plan.id,
        prices=tuple(wanted.prices),
        base_fee=wanted.base_fee,
        customer_ids=await _customer_ids(tx, wanted.customers),
        span=span,
    )


async def _customer_ids(
    tx: Transaction, references: Sequence[str] | None
) -> tuple[CustomerId, ...] | None:
    if references is None:
        return None
    found = await customers.resolve(tx, references)
    unknown = {
        f"customer_ids[{position}]": "customer not found"
        for position, reference in enumerate(references)
        if reference not in found
    }
    if unknown:
        raise DomainError(
            ErrorKind.NOT_FOUND, "customer_not_found", "customer not found", fields=unknown
        )
    return tuple(sorted(set(found.values())))


async def _page(
    tx: Transaction, proposal: Proposal, *, after: SubscriptionId | None, limit: int
) -> list[Subscription]:
    return await subscriptions.list_on_plan(
        tx,
        proposal.plan_id,
        proposal.customer_ids,
        with_ended=proposal.span is not None,
        after=after,
        limit=limit,
    )


async def _pieces(
    tx: Transaction, proposal: Proposal, page: Sequence[Subscription], now: datetime
) -> list[tuple[Subscription, Period]]:
    kept_from = await metering.events_kept_from(tx)
    return [
        (subscription, period)
        for subscription in page
        for period in past_periods(subscription, proposal, now=now, kept_from=kept_from)
    ]


async def _priced(
    tx: Transaction, proposal: Proposal, pieces: Sequence[tuple[Subscription, Period]]
) -> list[SimulatedPeriod]:
    """Each period by the terms that held and as proposed, over the same measured usage."""
    if not pieces:
        return []
    metrics = await catalog.get_metrics(tx, {draft.terms.metric_id for draft in proposal.prices})
    terms = await _terms(tx, pieces)
    offers = [
        (held_price_list(held), proposed_price_list(held, proposal, metrics)) for held in terms
    ]
    needed = [
        {(metric.id, metric.version): metric for offer in both for _, metric in offer.charges}
        for both in offers
    ]
    usages = await _measured(tx, pieces, terms, needed)
    return [
        SimulatedPeriod(
            customer_id=subscription.customer_id,
            period=period,
            old_amount=subtotal_of(old, measured),
            new_amount=subtotal_of(new, measured),
        )
        for (subscription, period), (old, new), measured in zip(pieces, offers, usages, strict=True)
    ]


async def _terms(tx: Transaction, pieces: Sequence[tuple[Subscription, Period]]) -> list[Terms]:
    """The terms that each period's closing invoice froze, or the running ones where it has none."""
    first: dict[SubscriptionId, datetime] = {}
    for subscription, period in pieces:
        first[subscription.id] = min(period.start, first.get(subscription.id, period.start))
    closed = await rating.load_closed(tx, first, kept_from=min(first.values()))
    frozen = {
        (item.subscription_id, item.period): terms
        for item, terms in zip(closed, await load_closed_terms(tx, closed), strict=True)
    }
    running = await load_running_terms(tx, list({known.id: known for known, _ in pieces}.values()))
    return [
        frozen.get((known.id, period)) or running.terms(known, period) for known, period in pieces
    ]


async def _measured(
    tx: Transaction,
    pieces: Sequence[tuple[Subscription, Period]],
    terms: Sequence[Terms],
    needed: Sequence[dict[MetricVersion, Metric]],
) -> list[dict[MetricVersion, Usage]]:
    """Each period's usage by each metric that either side prices."""
    measured: list[dict[MetricVersion, Usage]] = [{} for _ in pieces]
    asked = [
        (position, metric) for position, metrics in enumerate(needed) for metric in metrics.values()
    ]
    for start in range(0, len(asked), MEASURED_AT_ONCE):
        some = asked[start : start + MEASURED_AT_ONCE]
        usages = await metering.measure(
            tx,
            [
                UsageQuery(pieces[position][0].customer_id, metric, terms[position].windows)
                for position, metric in some
            ],
        )
        for (position, metric), usage in zip(some, usages, strict=True):
            measured[position][metric.id, metric.version] = usage
    return measured


def _id(simulation: Simulation) -> PlanSimulationId:
    if simulation.id is None:
        raise AssertionError("a stored simulation has its id")
    return simulation.id
