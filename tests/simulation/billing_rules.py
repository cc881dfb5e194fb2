"""What a price comes to and when a period ends, written anew from the behaviour page.

It shares no code with the system that it is held against: amounts are fractions, and boundaries
are laid out one by one.
"""

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from simulation.billing_wire import DAY

MONTHS = {"monthly": 1, "quarterly": 3, "annually": 12}
PUT_BACK_MAX = timedelta(minutes=90)
PLACES = {"NGN": 2, "XOF": 0, "KWD": 3}

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Spec:
    """A price as it was sent."""

    metric: str
    model: str
    unit_price: str | None = None
    tiers: Any = None
    flat_fee: str | None = None
    minimum: str | None = None
    maximum: str | None = None

    def body(self, price_id: str | None = None) -> dict[str, Any]:
        """The price on the wire."""
        fields = {
            "id": price_id,
            "metric_id": self.metric,
            "model": self.model,
            "unit_price": self.unit_price,
            "tiers": self.tiers,
            "flat_fee": self.flat_fee,
            "minimum_amount": self.minimum,
            "maximum_amount": self.maximum,
        }
        return {name: value for name, value in fields.items() if value is not None}


def amount_of(spec: Spec, quantity: Decimal, count: int) -> Fraction:
    """min(maximum, max(minimum, model + flat fee)), half to even at six places."""
    amount = model_of(spec, Fraction(quantity), count) + Fraction(spec.flat_fee or 0)
    if spec.minimum is not None:
        amount = max(Fraction(spec.minimum), amount)
    if spec.maximum is not None:
        amount = min(Fraction(spec.maximum), amount)
    return Fraction(round(amount * 10**6), 10**6)


def model_of(spec: Spec, q: Fraction, count: int) -> Fraction:
    """The exact amount of a quantity."""
    tiers = spec.tiers
    if spec.model == "flat_unit":
        return q * Fraction(spec.unit_price or 0)
    if spec.model == "percentage":
        return q * Fraction(tiers["rate"]) + count * Fraction(tiers["fixed"])
    q = max(q, Fraction(0))
    if spec.model == "package":
        blocks, rest = divmod(q, Fraction(tiers["package_size"]))
        if rest and tiers["round_up_partial_block"]:
            blocks += 1
        return blocks * Fraction(tiers["package_price"])
    if spec.model == "overage":
        beyond = max(Fraction(0), q - Fraction(tiers["included_units"]))
        return Fraction(tiers["base_price"]) + beyond * Fraction(tiers["overage_price"])
    if spec.model == "volume":
        for tier in tiers:
            if tier["up_to"] is None or q <= Fraction(tier["up_to"]):
                return q * Fraction(tier["unit_amount"])
    total, lower = Fraction(0), Fraction(0)
    for tier in tiers:
        upper = q if tier["up_to"] is None else min(q, Fraction(tier["up_to"]))
        total += max(Fraction(0), upper - lower) * Fraction(tier["unit_amount"])
        lower = max(lower, upper)
    return total


def to_minor_unit(amount: Fraction, currency: str) -> Fraction:
    """Half away from zero."""
    scaled = abs(amount) * 10 ** PLACES[currency]
    whole = (scaled + Fraction(1, 2)).__floor__()
    return Fraction(whole if amount >= 0 else -whole, 10 ** PLACES[currency])


@dataclass
class Edit:
    """One change of a plan: its fee, or some of its prices (None: removed)."""

    at: datetime
    apply_to: str
    fee: tuple[str, bool] | None
    prices: dict[str, Spec | None]


@dataclass
class Plan:
    """A plan and what was done to it; `prices` and `fee` as they stand now."""

    id: str
    plan_type: str
    currency: str
    billing_period: str
    trial_days: int
    fee: tuple[str, bool]
    prices: dict[str, Spec]
    edits: list[Edit] = field(default_factory=list)

    def agreed(self, span: Span, joined: datetime) -> tuple[dict[str, Spec], tuple[str, bool]]:
        """The prices and the fee of a period for somebody who joined then."""
        start, end = span
        prices: dict[str, Spec | None] = dict(self.edits[0].prices)
        fee = self.edits[0].fee
        for edit in self.edits[1:]:
            # Who joined within the hour that the period began in has the edits from before.
            begun = joined if start < joined < start + PUT_BACK_MAX else start
            holds = {"all": edit.at < end, "next_period": edit.at <= begun}
            if holds.get(edit.apply_to, edit.at <= joined):
                prices |= edit.prices
                fee = edit.fee or fee
        return {key: spec for key, spec in prices.items() if spec is not None}, fee


@dataclass
class Phase:
    """A stretch on one plan, with the boundaries laid out so far."""

    plan: Plan
    started: datetime
    anchor: datetime
    joined: datetime
    edges: list[datetime] = field(default_factory=list)


@dataclass
class Sub:
    """A subscription as the auditor knows it."""

    id: str
    customer: str
    zone: str
    anchor_kind: str
    start: datetime
    end_date: datetime | None
    trial_end: datetime | None
    tried: str
    phases: list[Phase]
    closed_until: datetime
    status: str = "active"
    pauses: list[list[datetime | None]] = field(default_factory=list)
    canceled_at: datetime | None = None
    cancel_at: datetime | None = None
    deleted: bool = False
    recheck: bool = False
    looked: datetime | None = None

    @property
    def plan(self) -> Plan:
        return self.phases[-1].plan

    @property
    def ends_at(self) -> datetime | None:
        """When it ends by itself, in a pause, too."""
        return min(filter(None, [self.end_date, self.cancel_at]), default=None)

    def taken_until(self) -> datetime | None:
        """The last instant up to which it may bill, or has billed."""
        end = self.canceled_at or self.end_date or datetime.max.replace(tzinfo=UTC)
        windows = self.billable((self.start, end)) if self.start < end else []
        return windows[-1][1] if windows else None

    def had_trial(self) -> bool:
        """Whether its trial began, or will."""
        is_void = self.canceled_at is not None and self.canceled_at <= self.start
        return self.trial_end is not None and not is_void

    def phase_at(self, instant: datetime) -> Phase:
        begun = [phase for phase in self.phases if phase.started <= instant]
        return begun[-1] if begun else self.phases[0]

    def period_at(self, instant: datetime) -> Span:
        """The period that contains an instant from the start on."""
        phase = self.phase_at(instant)
        if instant < phase.anchor:
            start, end = self.start, phase.anchor
        else:
            edges = phase.edges
            while not edges or edges[-1] <= instant:
                edges.append(boundary(self, phase, len(edges)))
            end = next(edge for edge in edges if edge > instant)
            start = edges[edges.index(end) - 1]
        cuts = [later.started for later in self.phases if later.started > phase.started]
        cuts += [self.canceled_at] if self.canceled_at else []
        return start, min([end, *(cut for cut in cuts if cut > start)])

    def is_trial(self, span: Span) -> bool:
        return self.trial_end is not None and span[0] < self.trial_end

    def first_open(self) -> Span | None:
        """The first period that is not closed."""
        if self.canceled_at is not None and self.canceled_at <= self.closed_until:
            return None
        return self.period_at(self.closed_until)

    def billable(self, span: Span) -> list[Span]:
        """The period without its pauses."""
        windows, at = [], span[0]
        for begun, ended in sorted(self.pauses, key=lambda pause: pause[0]):
            if begun == ended or begun >= span[1] or (ended is not None and ended <= at):
                continue
            if begun > at:
                windows.append((at, begun))
            at = span[1] if ended is None else ended
        return [*windows, (at, span[1])] if at < span[1] else windows


def boundary(sub: Sub, phase: Phase, index: int) -> datetime:
    """The start of a phase's period, by its number."""
    if index == 0:
        return phase.anchor
    zone = ZoneInfo(sub.zone)
    local = phase.anchor.astimezone(zone)
    unit = phase.plan.billing_period
    if unit == "daily":
        return instant_of(local.date() + index * DAY, time.min, zone)
    if unit == "weekly":
        return instant_of(local.date() + 7 * index * DAY, local.time(), zone)
    if sub.anchor_kind == "month_start":
        first = local.date().replace(day=1)
        if instant_of(first, time.min, zone) == phase.anchor:
            return instant_of(months_on(first, index * MONTHS[unit]), time.min, zone)
        return instant_of(months_on(first, 1 + (index - 1) * MONTHS[unit]), time.min, zone)
    return instant_of(months_on(local.date(), index * MONTHS[unit]), local.time(), zone)


def instant_of(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """The first instant of a wall time; one that is skipped comes as much later as was skipped."""
    naive = datetime.combine(day, wall.replace(tzinfo=None, fold=0))
    guesses = sorted(
        (naive - offset).replace(tzinfo=UTC)
        for offset in {
            (naive + shift).replace(tzinfo=zone).utcoffset() for shift in (-DAY, DAY * 0, DAY)
        }
    )
    for guess in guesses:
        if guess.astimezone(zone).replace(tzinfo=None) == naive:
            return guess
    before = (naive - DAY).replace(tzinfo=zone).utcoffset()
    return (naive - before).replace(tzinfo=UTC)


def months_on(day: date, months: int) -> date:
    """The same day some months later, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def days_on(instant: datetime, days: int, zone: str) -> datetime:
    """The same local time some days later."""
    local = instant.astimezone(ZoneInfo(zone))
    return instant_of(local.date() + days * DAY, local.time(), ZoneInfo(zone))
