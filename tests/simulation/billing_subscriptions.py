"""Plans and subscriptions as the auditor knows them, written anew from the behaviour page.

Boundaries are laid out one by one, and what of a customer's time is taken is told instant by
instant.
"""

from dataclasses import dataclass, field
from datetime import datetime, time
from zoneinfo import ZoneInfo

from simulation.billing_calendar import instant_of, months_on
from simulation.billing_prices import Spec
from simulation.billing_wire import DAY, MINUTE

# An hour may be this long, where clocks are set back by a part of one.
HOUR_MAX = 90 * MINUTE
MONTHS = {"monthly": 1, "quarterly": 3, "annually": 12}

Span = tuple[datetime, datetime]


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
    mode: str
    trial_days: int
    fee: tuple[str, bool]
    prices: dict[str, Spec]
    edits: list[Edit] = field(default_factory=list)

    def agreed(self, span: Span, phase: "Phase") -> tuple[dict[str, Spec], tuple[str, bool]]:
        """The prices and the fee of a period of somebody's phase on the plan."""
        start, end = span
        prices: dict[str, Spec | None] = dict(self.edits[0].prices)
        fee = self.edits[0].fee
        for place, edit in enumerate(self.edits[1:], start=1):
            # What was edited before it was made, be it at the same instant, is nothing new to it.
            # One that names no start begins with the hour in which it is made.
            is_old = place < phase.edits
            begins = start <= phase.joined < start + HOUR_MAX
            holds = {"all": edit.at < end, "next_period": is_old if begins else edit.at < start}
            if holds.get(edit.apply_to, is_old):
                prices |= edit.prices
                fee = edit.fee or fee
        return {key: spec for key, spec in prices.items() if spec is not None}, fee

    def edit(self, edit: Edit) -> None:
        """Note a change."""
        self.edits.append(edit)
        self.fee = edit.fee or self.fee
        changed = self.prices | edit.prices
        self.prices = {key: spec for key, spec in changed.items() if spec}


@dataclass
class Phase:
    """A stretch on one plan, with the boundaries laid out so far."""

    plan: Plan
    started: datetime
    anchor: datetime
    joined: datetime
    edges: list[datetime] = field(default_factory=list)
    # How many edits its plan had seen when it was put on it.
    edits: int = field(init=False)

    def __post_init__(self) -> None:
        self.edits = len([edit for edit in self.plan.edits if edit.at <= self.joined])


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
    trial_plan: Plan
    phases: list[Phase]
    closed_until: datetime
    status: str = "active"
    # Why it is paused: "merchant", or "balance".
    reason: str = ""
    pauses: list[list[datetime | None]] = field(default_factory=list)
    canceled_at: datetime | None = None
    # When it ends by itself with a period.
    cancel_at: datetime | None = None
    # The plan that follows, and when.
    scheduled: tuple[Plan, datetime] | None = None
    deleted: bool = False
    # Closed periods are to be looked at again.
    recheck: bool = False
    looked: datetime | None = None
    # A credit came for which it may have waited.
    woken: bool = False
    # It was made before it starts, and nothing has happened to it since it has.
    is_new: bool = False

    @property
    def plan(self) -> Plan:
        return self.phases[-1].plan

    @property
    def ends_at(self) -> datetime | None:
        """When it ends by itself, as far as that is known."""
        return min(filter(None, (self.end_date, self.cancel_at)), default=None)

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

    def shown_period(self, now: datetime) -> Span:
        """The present period, the first before the start, the last after the end."""
        instant = max(now, self.start)
        if self.canceled_at is not None and instant >= self.canceled_at:
            before = [edge for edge in (self.canceled_at,) if edge > self.start]
            instant = before[0] - DAY / 86_400_000_000 if before else self.start
        return self.period_at(max(instant, self.start))

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

    def taken_until(self, now: datetime) -> datetime | None:
        """Up to when it takes its customer's time, as things stand; None if it never did.

        A subscription that is paused takes nothing from there on.
        """
        far = max(now, self.start) + 1_000 * DAY
        end = far if self.canceled_at is None else self.canceled_at
        if end <= self.start:
            return None
        windows = self.billable((self.start, end))
        return windows[-1][1] if windows else None

    def had_trial(self, plan: Plan, now: datetime) -> bool:
        """Whether a trial of a plan began here."""
        if self.trial_end is None or self.trial_plan is not plan:
            return False
        began = self.start if self.canceled_at is None else min(self.canceled_at, now)
        return self.start <= now and (self.canceled_at is None or began > self.start)


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
