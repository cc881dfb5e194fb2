"""Invoices and bills as the auditor writes them: what each has to say, by the behaviour page."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any

from simulation.billing_prices import PLACES, to_minor_unit
from simulation.billing_subscriptions import Span, Sub
from simulation.billing_wallets import NOTHING, Due, Part

LIVE = {"finalized", "paid"}
# What a line is of: a price, the plan's fee, what rounding left, or a credit carried.
FEE, ROUNDING, CREDIT = "fee", "rounding", "credit"

# A line: the start of the period that it bills, and what it is of.
Key = tuple[datetime, str]


@dataclass(eq=False)
class Bill:
    """One invoice or bill, with its lines' amounts; what groups share of a line is one amount."""

    sub: Sub
    span: Span
    kind: str
    at: datetime
    mode: str
    lines: dict[Key, Fraction]
    # Of the lines of usage: which metric, in the order of the lines.
    metrics: dict[Key, str]
    rounding: Fraction = NOTHING
    credit: Fraction = NOTHING
    subtotal: Fraction = NOTHING
    tax: Fraction = NOTHING
    total: Fraction = NOTHING
    status: str = "finalized"
    parts: list[Part] = field(default_factory=list)
    # What was received elsewhere.
    elsewhere: Fraction = NOTHING
    # Voided after its period's end: its own lines still count as billed.
    waived: bool = False
    # Whether it has lines of other periods, be it of nothing.
    carries: bool = False
    # Of prices whose metrics group: the price, its amount, and each value's quantity.
    grouped: dict[Key, Any] = field(default_factory=dict)
    # What the system's lines say of each value.
    told_groups: dict[Key, dict[str, Fraction]] = field(default_factory=dict)
    # A closing's terms.
    frozen: Any = None
    id: str = ""

    def __str__(self) -> str:
        lines = {f"{at:%m-%d} {name[-4:]}": float(sum_) for (at, name), sum_ in self.lines.items()}
        return (
            f"{self.kind} {self.status} of {self.sub.id}, {self.span[0]} to {self.span[1]},"
            f" at {self.at}: {lines}, rounding {float(self.rounding)}, credit {float(self.credit)},"
            f" {float(self.subtotal)} + {float(self.tax)}, paid {float(self.paid)}"
        )

    @property
    def plan_type(self) -> str:
        return self.sub.plan.plan_type

    @property
    def currency(self) -> str:
        return self.sub.plan.currency

    @property
    def account(self) -> tuple[str, str, str]:
        """Between whose invoices credits are carried."""
        return self.sub.customer, self.currency, self.plan_type

    @property
    def charged(self) -> Fraction:
        """What prices and fees come to."""
        return sum(self.lines.values(), NOTHING)

    @property
    def paid(self) -> Fraction:
        """What wallet and credits paid."""
        return sum((part.amount for part in self.parts), NOTHING)

    @property
    def due(self) -> Fraction:
        """What is still to be paid."""
        is_open = self.status == "finalized"
        return self.total - self.paid - self.elsewhere if is_open else NOTHING

    def shares(self) -> Due:
        """What of the total each metric's lines come to, with their part of tax and rounding.

        In the currency's smallest unit; the largest takes the remainder. Under None what no metric
        stands behind.
        """
        sums: Due = {None: self.credit} if self.credit < 0 else {}
        for key, amount in self.told_lines():
            metric = self.metrics.get(key)
            sums[metric] = sums.get(metric, NOTHING) + amount
        if self.credit > 0:
            sums[None] = sums.get(None, NOTHING) + self.credit
        whole = sum(sums.values(), NOTHING)
        if len(sums) == 1:
            return dict.fromkeys(sums, self.total)
        if whole <= 0:
            return {None: self.total}
        units = 10 ** PLACES[self.currency]
        shares = {
            metric: Fraction(round(amount * self.total / whole * units), units)
            for metric, amount in sums.items()
        }
        largest = max(shares, key=lambda metric: shares[metric])
        shares[largest] += self.total - sum(shares.values(), NOTHING)
        return shares

    def told_lines(self) -> list[tuple[Key, Fraction]]:
        """The lines in their order: own usage and fee first, then those of other periods."""
        return [
            (key, amount) for key, amount in self.lines.items() if amount or key in self.metrics
        ]


class Sums:
    """What live invoices come to: of lines, of subscriptions, and of credits carried."""

    def __init__(self) -> None:
        # By subscription and period: what live and waived lines charge for each price and fee.
        self.billed: dict[tuple[str, datetime], dict[str, Fraction]] = defaultdict(dict)
        # By subscription: all lines of live invoices but those of rounding, and their subtotals.
        self.exact: dict[str, Fraction] = defaultdict(Fraction)
        self.rounded: dict[str, Fraction] = defaultdict(Fraction)
        self.credits: dict[tuple[str, str, str], Fraction] = defaultdict(Fraction)

    def add(self, bill: Bill, sign: int = 1, *, but_period: datetime | None = None) -> None:
        """An invoice counts from now on, or no more; `but_period` keeps its lines."""
        for (start, name), amount in bill.lines.items():
            if start != but_period:
                sums = self.billed[bill.sub.id, start]
                sums[name] = sums.get(name, NOTHING) + sign * amount
        self.exact[bill.sub.id] += sign * (bill.charged + bill.credit)
        self.rounded[bill.sub.id] += sign * bill.subtotal
        self.credits[bill.account] += sign * bill.credit

    def forgive_no_more(self, bill: Bill) -> None:
        """A waived invoice's own lines don't count any more."""
        for (start, name), amount in bill.lines.items():
            if start == bill.span[0]:
                self.billed[bill.sub.id, start][name] -= amount

    def total_up(self, bill: Bill, taxes: dict[str, Fraction]) -> Fraction:
        """Complete a bill: rounding, credit, tax and total. What it came to before credits."""
        exact, rounded = self.exact[bill.sub.id], self.rounded[bill.sub.id]
        bill.rounding = exact - rounded

        def subtotal() -> Fraction:
            lines = exact + bill.charged + bill.credit
            return to_minor_unit(lines, bill.currency) - rounded

        due, carried = subtotal(), self.credits[bill.account]
        if due < 0:
            bill.credit = -(bill.charged + bill.rounding)
        elif due > 0 and carried > 0:
            bill.credit = -min(carried, due)
        bill.subtotal = subtotal()
        if due > 0 > bill.subtotal:
            # A half that was rounded up is not more to give a credit for than it is.
            bill.credit = -(bill.charged + bill.rounding)
            bill.subtotal = subtotal()
        is_bill = bill.plan_type == "payout"
        rate = taxes["wht" if is_bill else "vat"]
        bill.tax = to_minor_unit(bill.subtotal * rate / 100, bill.currency)
        bill.total = bill.subtotal + (-bill.tax if is_bill else bill.tax)
        return due
