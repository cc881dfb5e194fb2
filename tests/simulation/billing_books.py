"""The auditor's books: every event and operation, and the terms of each period.

Written from the behaviour page alone; it computes by brute force.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from simulation.auditor import Auditor, Rule
from simulation.billing_invoices import FEE, LIVE, Bill, Sums
from simulation.billing_prices import Spec, amount_of
from simulation.billing_subscriptions import Plan, Span, Sub
from simulation.billing_wallets import NOTHING, Part, Wallet
from simulation.billing_wire import DAY, hour_before


@dataclass
class Override:
    """What one customer pays instead of a price's own model."""

    id: str
    customer: str
    price: str
    model: Spec
    since: datetime
    until: datetime | None


@dataclass
class Frozen:
    """A period's terms as they are at an instant; of a closed one, whether it is waived by now."""

    sub: Sub = field(repr=False)
    span: Span
    at: datetime
    prices: dict[str, tuple[Spec, Rule, str]]
    fee: Fraction
    in_advance: bool
    windows: list[Span]
    # By price, the metric's definition that a replay put in place of the one of then.
    rules: dict[str, Rule] = field(default_factory=dict)
    waived: bool = False
    # What it came to, and how many events of the customer were known then.
    rated: tuple[int, dict[str, Rule], dict[str, Fraction]] | None = None


class Books:
    """Everything that was told to the system, and what it must have billed."""

    def __init__(self, grace: timedelta) -> None:
        self.grace = grace
        self.usage = Auditor()
        self.events_of: dict[str, int] = {}
        self.rules: dict[str, Rule] = {}
        self.plans: list[Plan] = []
        self.overrides: list[Override] = []
        self.subs: dict[str, Sub] = {}
        self.wallets: dict[tuple[str, str], Wallet] = {}
        self.closed: dict[tuple[str, datetime], Frozen] = {}
        self.sums = Sums()
        # All that became final, in its order; by id, those that have been seen.
        self.bills: list[Bill] = []
        self.by_id: dict[str, Bill] = {}
        # Drafts as the system tells them.
        self.drafts: dict[str, dict[str, Any]] = {}
        self.taxes = {"vat": Fraction(0), "wht": Fraction(0)}
        # What wallets paid for running realtime periods before any invoice.
        self.charges: dict[tuple[str, datetime], list[Part]] = {}
        # Customers of realtime plans, and those of them whose usage changed.
        self.watched: set[str] = set()
        self.changed: set[str] = set()
        # Customers whose wallets got something since those who wait were woken.
        self.credited: set[str] = set()
        # From when on events can be counted anew; None: from ever.
        self.kept_from: datetime | None = None
        self.retention: int | None = None
        # Events that have lost their properties, and up to when all have that may.
        self.emptied: set[str] = set()
        self.emptied_until: datetime | None = None
        # By metric: from when on its hours are summed up by its present definition.
        self.summed_from: dict[str, datetime] = {}

    def attempt(self, act: Callable[[], bool]) -> bool:
        """Do something that is done whole or not at all; whether it was."""
        shared = {id(known): known for known in (self.usage, self.overrides, *self.plans)}
        before = deepcopy(self.__dict__, shared)
        is_done = act()
        if not is_done:
            self.__dict__ = before
        return is_done

    # Subscriptions.

    def of_customer(self, customer: str, plan_type: str) -> list[Sub]:
        """A customer's subscriptions of a type, ended and deleted ones included."""
        return [
            sub
            for sub in self.subs.values()
            if (sub.customer, sub.plan.plan_type) == (customer, plan_type)
        ]

    def is_taken(self, customer: str, plan_type: str, but: Sub | None = None) -> bool:
        """Whether a customer has an active subscription of a type."""
        return any(
            sub is not but and (sub.status == "active" or sub.reason == "balance")
            for sub in self.of_customer(customer, plan_type)
        )

    def taken_until(self, customer: str, plan_type: str, now: datetime) -> datetime | None:
        """Up to when a customer's usage belongs to subscriptions that are not active now."""
        ends = [sub.taken_until(now) for sub in self.of_customer(customer, plan_type)]
        return max(filter(None, ends), default=None)

    # What a period comes to.

    def terms(self, sub: Sub, span: Span, at: datetime) -> Frozen:
        """A period's terms as they stand now."""
        phase = sub.phase_at(span[0])
        specs, (fee, in_advance) = phase.plan.agreed(span, phase)
        windows = sub.billable(span)
        prices = {}
        for price, own in specs.items():
            model = next(
                (
                    known.model
                    for known in self.overrides
                    if (known.customer, known.price) == (sub.customer, price)
                    and known.since < span[1]
                    and (known.until is None or known.until >= span[1])
                ),
                own,
            )
            merged = Spec(
                own.metric,
                model.model,
                model.unit_price,
                model.tiers,
                own.flat_fee,
                own.minimum,
                own.maximum,
            )
            prices[price] = (merged, self.rules[own.metric], own.metric)
        due = Fraction(fee) if windows else NOTHING
        return Frozen(sub, span, at, prices, due, in_advance, windows)

    def mode(self, sub: Sub, instant: datetime) -> str:
        """How the period of an instant is paid for."""
        return sub.phase_at(instant).plan.mode

    def worth(self, frozen: Frozen, *, with_minimum: bool = True) -> dict[str, Fraction]:
        """What each price comes to by all events that are known."""
        count = self.events_of.get(frozen.sub.customer, 0)
        known = frozen.rated
        if with_minimum and known is not None and known[:2] == (count, frozen.rules):
            return known[2]
        worth = {}
        for price, (spec, agreed, _) in frozen.prices.items():
            rule = frozen.rules.get(price, agreed)
            answer = self.usage.usage(frozen.sub.customer, rule, frozen.windows)
            amount = amount_of(spec, answer.quantity, answer.event_count, with_minimum=with_minimum)
            worth[price] = amount if frozen.windows else NOTHING
        if with_minimum:
            frozen.rated = count, dict(frozen.rules), worth
        return worth

    def is_sealed(self, span: Span) -> bool:
        """Whether events of a period may be gone, so that nothing of it can differ any more."""
        return self.kept_from is not None and span[0] < self.kept_from

    def keep(self, now: datetime) -> None:
        """Move on from when events are kept."""
        if self.retention is not None:
            by_setting = hour_before(now - self.retention * DAY)
            self.kept_from = max(by_setting, self.kept_from or by_setting)

    # Invoices.

    def has_draft(self, sub: Sub, span: Span) -> bool:
        return any(
            (known["subscription_id"], known["period_start"]) == (sub.id, span[0])
            for known in self.drafts.values()
        )

    def with_status(self, *statuses: str) -> list[Bill]:
        return [bill for bill in self.bills if bill.status in statuses and bill.id]

    def of_period(self, sub: Sub, start: datetime) -> list[Bill]:
        """The final invoices whose own period this is, supplementary ones left out."""
        return [
            bill
            for bill in self.bills
            if bill.sub is sub and bill.span[0] == start and bill.kind != "supplementary"
        ]

    def is_waived(self, frozen: Frozen) -> bool:
        """Whether a closed period may be billed again."""
        own = self.of_period(frozen.sub, frozen.span[0])
        return frozen.waived and not any(bill.status in LIVE for bill in own)

    def void(self, bill: Bill) -> None:
        """An invoice's own period is waived once it is closed; all else on it falls due again."""
        key, own = (bill.sub.id, bill.span[0]), bill.span[0]
        is_closed = key in self.closed
        if is_closed:
            bill.waived = True
            if bill.kind == "closing":
                self.closed[key].waived = True
        self.sums.add(bill, -1, but_period=own if is_closed else None)
        if bill.carries:
            bill.sub.recheck = True
        bill.status = "void"

    def bill_again(self, sub: Sub, span: Span, now: datetime) -> Frozen:
        """A waived period is billed after all, under the terms of now."""
        for bill in self.of_period(sub, span[0]):
            if bill.waived:
                bill.waived = False
                self.sums.forgive_no_more(bill)
        frozen = self.closed[sub.id, span[0]] = self.terms(sub, span, now)
        return frozen

    def replayed(self, window: Span, name: str) -> None:
        """Closed periods of these hours are counted by the metrics of now from now on."""
        for frozen in self.closed.values():
            if frozen.waived or frozen.span[0] >= window[1] or frozen.span[1] <= window[0]:
                continue
            for price, (_, rule, metric) in frozen.prices.items():
                if name in {"", rule.event_name}:
                    frozen.rules[price] = self.rules[metric]
        for sub in self.subs.values():
            if sub.start < window[1] and sub.closed_until > window[0]:
                sub.recheck = True

    # Lines.

    def own_lines(self, bill: Bill, frozen: Frozen, *, fee: bool, minimum: bool = True) -> None:
        """What a period has come to, less what live invoices charge for it."""
        start = frozen.span[0]
        before = self.sums.billed[bill.sub.id, start]
        worth = self.worth(frozen, with_minimum=minimum)
        for price, (spec, agreed, metric) in frozen.prices.items():
            bill.lines[start, price] = worth[price] - before.get(price, NOTHING)
            bill.metrics[start, price] = metric
            rule = frozen.rules.get(price, agreed)
            if rule.group_by:
                usage = self.usage.usage(frozen.sub.customer, rule, frozen.windows)
                bill.grouped[start, price] = spec, worth[price], usage.groups
        for price, amount in before.items():
            if price not in worth and price != FEE:
                bill.lines[start, price] = -amount
                bill.metrics[start, price] = self.metric_of(price)
        if fee:
            self.fee_line(bill, frozen)

    def fee_line(self, bill: Bill, frozen: Frozen) -> None:
        start = frozen.span[0]
        before = self.sums.billed[bill.sub.id, start].get(FEE, NOTHING)
        bill.lines[start, FEE] = frozen.fee - before

    def adjustments(self, bill: Bill) -> None:
        """What differs by now in closed periods."""
        for frozen in self.closed.values():
            is_own = frozen.span[0] == bill.span[0] and bill.kind != "supplementary"
            is_out = is_own or frozen.waived or self.is_sealed(frozen.span)
            if frozen.sub is bill.sub and not is_out:
                self.own_lines(bill, frozen, fee=True)

    def metric_of(self, price: str) -> str:
        """The metric of a price, on its plan or removed from it."""
        return next(
            spec.metric
            for plan in self.plans
            for edit in plan.edits
            if (spec := edit.prices.get(price)) is not None
        )
