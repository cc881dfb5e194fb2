"""A second opinion on bills: keeps every event and every operation, and reckons by brute force.

Written from the behaviour page alone. It lets periods close by its own reckoning, and knows what
all invoices together must have charged for each subscription, period and price by then.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from simulation.auditor import Auditor, Rule
from simulation.billing_rules import (
    Edit,
    Phase,
    Plan,
    Span,
    Spec,
    Sub,
    amount_of,
    days_on,
    to_minor_unit,
)
from simulation.billing_wire import DAY

FIRST_LOOK = timedelta(hours=1, minutes=5)
LOOKS_END = timedelta(days=91)
FEE = "fee"
# Periods that a request closes by itself; the rest follow as soon as the clock moves.
INLINE_MAX = 12
LIVE = {"finalized", "payment_failed", "paid", "uncollectible"}


def sum_of(lines: list[dict[str, Any]], *kinds: str) -> Fraction:
    """What an invoice's lines of some kinds come to."""
    return sum((Fraction(x["amount"]) for x in lines if x["kind"] in kinds), Fraction(0))


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
    """A closed period: its terms as they were, and whether it is waived by now."""

    sub: Sub = field(repr=False)
    span: Span
    at: datetime
    prices: dict[str, tuple[Spec, Rule, str]]
    fee: Fraction
    windows: list[Span]
    rules: dict[str, Rule] = field(default_factory=dict)
    waived: bool = False
    # What it came to, and how many events of the customer were known then.
    reckoned: tuple[int, dict[str, Rule], dict[str, Fraction]] | None = None


class Books:
    """Everything that was told to the system, and what must have been billed."""

    def __init__(self, grace: timedelta) -> None:
        self.grace = grace
        self.usage = Auditor()
        self.rules: dict[str, Rule] = {}
        self.plans: list[Plan] = []
        self.overrides: list[Override] = []
        self.subs: dict[str, Sub] = {}
        self.closed: dict[tuple[str, datetime], Frozen] = {}
        # By subscription and start of the period: what each price and the fee has come to.
        self.expected: dict[tuple[str, datetime], dict[str, Fraction]] = defaultdict(dict)
        self.invoices: dict[str, dict[str, Any]] = {}
        self.waived: set[str] = set()
        self.credits: dict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
        self.taxes = {"vat": Fraction(0), "wht": Fraction(0)}
        self.seen: set[str] = set()
        self.numbers: dict[str, int] = defaultdict(int)

    # What the passing of time does.

    def advance(self, now: datetime, to: datetime) -> None:
        """Let everything happen that is due up to an instant, in order."""
        while True:
            dues = [(due, sub) for sub in self.subs.values() if (due := self.due(sub, now))]
            dues = [(max(due, now), sub) for due, sub in dues if due <= to]
            if not dues:
                return
            now = min(due for due, _ in dues)
            for due, sub in dues:
                while due == now and self.take_step(sub, now, self.grace):
                    continue

    def due(self, sub: Sub, now: datetime) -> datetime | None:
        """When something happens to a subscription next."""
        span = sub.first_open()
        if sub.status == "canceled":
            if span is not None or sub.recheck:
                return now
            looks = [sub.canceled_at + FIRST_LOOK]
            looks += [sub.canceled_at + days * DAY for days in range(1, 92)]
            return next((look for look in looks if look > (sub.looked or now - DAY)), None)
        if sub.status == "paused":
            return sub.ends_at
        due = span[0] if now < span[0] else self.closes_at(sub, span)
        return min(due, sub.ends_at or due)

    def closes_at(self, sub: Sub, span: Span) -> datetime:
        at_once = sub.status == "canceled" or sub.is_trial(span)
        return span[1] if at_once else span[1] + self.grace

    def request(self, sub: Sub, now: datetime) -> None:
        """What a request bills at once."""
        for _ in range(INLINE_MAX):
            if sub.first_open() is None or not self.take_step(sub, now, timedelta()):
                return

    def take_step(self, sub: Sub, now: datetime, grace: timedelta) -> bool:
        """The next thing that is due for a subscription now, if there is one."""
        if sub.status != "canceled" and sub.ends_at is not None and sub.ends_at <= now:
            self.cancel(sub, sub.ends_at)
            return True
        span = sub.first_open()
        if span is None:
            self.look(sub, now)
            return False
        waits = sub.status == "paused" or (sub.status == "active" and now < span[0])
        if waits or now < span[1]:
            if not waits and not sub.is_trial(span):
                self.open(sub, span)
            return False
        is_regular = not sub.is_trial(span) and sub.status != "canceled"
        if is_regular and now < span[1] + grace:
            return False
        if sub.is_trial(span):
            sub.closed_until = span[1]
            if sub.status == "active":
                self.open(sub, sub.period_at(span[1]))
        else:
            self.close(sub, span, now)
        return True

    def taken_until(self, customer: str, plan_type: str) -> datetime | None:
        """The last instant that subscriptions of a plan type, deleted ones too, may bill."""
        own = [sub for sub in self.subs.values() if sub.customer == customer]
        ends = [sub.taken_until() for sub in own if sub.plan.plan_type == plan_type]
        return max(filter(None, ends), default=None)

    def trial_end(self, customer: str, plan: Plan, start: datetime, zone: str) -> datetime | None:
        """When a new subscription's trial ends: a plan's is had once."""
        own = [
            sub for sub in self.subs.values() if (sub.customer, sub.tried) == (customer, plan.id)
        ]
        if not plan.trial_days or any(sub.had_trial() for sub in own):
            return None
        return days_on(start, plan.trial_days, zone)

    def cancel(self, sub: Sub, at: datetime) -> None:
        sub.status, sub.canceled_at, sub.looked = "canceled", at, at
        self.end_pause(sub, at)

    def end_pause(self, sub: Sub, at: datetime) -> None:
        for pause in sub.pauses:
            pause[1] = max(pause[0], at) if pause[1] is None else pause[1]

    def open(self, sub: Sub, span: Span) -> None:
        """A fee in advance is due as a period begins; a draft that is there already takes it."""
        frozen = self.terms(sub, span, span[0])
        if self.in_advance(sub, span) and not self.has_draft(sub, span):
            self.expected[sub.id, span[0]][FEE] = frozen.fee

    def close(self, sub: Sub, span: Span, now: datetime) -> None:
        """The period is billed, its terms stay, and what came late to earlier ones is told."""
        frozen = self.terms(sub, span, now)
        self.closed[sub.id, span[0]] = frozen
        sub.closed_until = span[1]
        self.settle(frozen)
        self.look(sub, now)
        if sub.status == "active":
            following = sub.period_at(span[1])
            if self.in_advance(sub, following):
                fee = self.terms(sub, following, now).fee
                self.expected[sub.id, following[0]][FEE] = fee

    def look(self, sub: Sub, now: datetime) -> None:
        """Whatever came since to closed periods is told now."""
        sub.recheck, sub.looked = False, now
        for frozen in self.closed.values():
            if frozen.sub is sub and not frozen.waived:
                self.settle(frozen)

    def settle(self, frozen: Frozen) -> None:
        """All of the period has been billed."""
        due = self.expected[frozen.sub.id, frozen.span[0]]
        due.update(dict.fromkeys(due, Fraction(0)))
        events = self.usage.events
        count = sum(event.customer == frozen.sub.customer for event in events.values())
        if frozen.reckoned is None or frozen.reckoned[:2] != (count, frozen.rules):
            frozen.reckoned = count, dict(frozen.rules), self.worth(frozen)
        due.update(frozen.reckoned[2])
        due[FEE] = frozen.fee

    # What a period comes to.

    def terms(self, sub: Sub, span: Span, at: datetime) -> Frozen:
        """A period's terms as they stand now."""
        phase = sub.phase_at(span[0])
        specs, (fee, _) = phase.plan.agreed(span, phase.joined)
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
        due = Fraction(fee) if windows else Fraction(0)
        return Frozen(sub, span, at, prices, due, windows)

    def in_advance(self, sub: Sub, span: Span) -> bool:
        phase = sub.phase_at(span[0])
        return phase.plan.agreed(span, phase.joined)[1][1]

    def worth(self, frozen: Frozen) -> dict[str, Fraction]:
        """What each price comes to by all events that are known."""
        worth = {}
        for price, (spec, agreed, _) in frozen.prices.items():
            rule = frozen.rules.get(price, agreed)
            answer = self.usage.usage(frozen.sub.customer, rule, frozen.windows)
            worth[price] = amount_of(spec, answer.quantity, answer.event_count)
            if not frozen.windows:
                worth[price] = Fraction(0)
        return worth

    def has_draft(self, sub: Sub, span: Span) -> bool:
        return any(
            (known["status"], known["subscription_id"], known["period_start"])
            == ("draft", sub.id, span[0])
            for known in self.invoices.values()
        )

    # What a merchant does.

    def edit(self, plan: Plan, edit: Edit) -> None:
        plan.edits.append(edit)

    def interim(self, sub: Sub, span: Span, now: datetime) -> None:
        """A draft of the running period was made final: all so far is billed."""
        due = self.expected[sub.id, span[0]]
        frozen = self.terms(sub, span, now)
        due.update({price: Fraction(0) for price in due if price != FEE})
        due.update(self.worth(frozen))
        if self.in_advance(sub, span):
            due[FEE] = frozen.fee

    def regenerated(self, sub: Sub, span: Span, now: datetime) -> None:
        """A waived period is billed after all, under the terms of now."""
        self.closed[sub.id, span[0]] = self.terms(sub, span, now)
        own = [known["id"] for known in self.of_period(sub.id, span[0])]
        self.waived -= set(own)
        self.settle(self.closed[sub.id, span[0]])

    def voided(self, invoice: dict[str, Any]) -> None:
        """An invoice's own period is waived once it is closed; all else on it falls due again."""
        key = invoice["subscription_id"], invoice["period_start"]
        sub = self.subs[key[0]]
        if key in self.closed:
            self.waived.add(invoice["id"])
            if invoice["kind"] == "closing":
                self.closed[key].waived = True
        for line in invoice["line_items"]:
            own = line["period_start"] == invoice["period_start"]
            if line["kind"] == "rounding":
                continue
            if line["kind"] == "credit":
                account = self.account(invoice)
                self.credits[account] -= Fraction(line["amount"])
            elif not (own and key in self.closed):
                due = self.expected[key[0], line["period_start"]]
                due[line["price_id"] or FEE] -= Fraction(line["amount"])
                sub.recheck = sub.recheck or not own

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

    def of_period(self, sub_id: str, start: datetime) -> list[dict[str, Any]]:
        """The invoices whose own period this is, supplementary ones left out."""
        return [
            known
            for known in self.invoices.values()
            if (known["subscription_id"], known["period_start"]) == (sub_id, start)
            and known["kind"] != "supplementary"
        ]

    def may_regenerate(self, frozen: Frozen) -> bool:
        own = self.of_period(frozen.sub.id, frozen.span[0])
        return bool(own) and all(known["status"] in {"void", "draft"} for known in own)

    def join(self, sub: Sub, plan: Plan, now: datetime) -> None:
        """The subscription goes on under another plan."""
        last = sub.phases[-1]
        if now > last.started and now >= last.anchor:
            sub.phases.append(Phase(plan, now, now, now))
        else:
            sub.phases[-1] = Phase(plan, max(now, last.started), last.anchor, now)

    # What the system says, held against all this.

    def account(self, invoice: dict[str, Any]) -> tuple[str, str, str]:
        return invoice["customer_id"], invoice["currency"], invoice["plan_type"]

    def with_status(self, status: str) -> list[dict[str, Any]]:
        return [known for known in self.invoices.values() if known["status"] == status]

    def check(self) -> None:
        """Every bill is what the books say."""
        new = [
            known
            for known in self.invoices.values()
            if known["number"] and known["id"] not in self.seen
        ]
        for invoice in sorted(new, key=lambda known: known["number"]):
            self.check_final(invoice)
        self.check_sums()
        self.check_closings()

    def check_final(self, invoice: dict[str, Any]) -> None:
        """A new invoice: its number, credits, taxes and total."""
        self.seen.add(invoice["id"])
        plan_type, currency = invoice["plan_type"], invoice["currency"]
        prefix = {"collection": "INV", "payout": "BILL"}[plan_type]
        self.numbers[plan_type] += 1
        assert invoice["number"] == f"{prefix}-{self.numbers[plan_type]:06d}", invoice
        lines = invoice["line_items"]
        exact, rounded = self.live_sums(invoice["subscription_id"], invoice["number"])
        assert sum_of(lines, "rounding") == exact - rounded, invoice
        charged = sum_of(lines, "usage", "fee", "rounding")
        credit = [Fraction(x["amount"]) for x in lines if x["kind"] == "credit"]
        due = to_minor_unit(rounded + charged, currency) - rounded
        available, wanted = self.credits[self.account(invoice)], Fraction(0)
        if due < 0:
            wanted = -charged
        elif due > 0 and available > 0:
            wanted = -min(available, due)
            if to_minor_unit(rounded + charged + wanted, currency) < rounded:
                wanted = -charged
        assert credit == ([wanted] if wanted else []), (credit, wanted, invoice)
        self.credits[self.account(invoice)] += wanted
        subtotal = to_minor_unit(rounded + charged + wanted, currency) - rounded
        vat = to_minor_unit(subtotal * self.taxes["vat"] / 100, currency)
        wht = to_minor_unit(subtotal * self.taxes["wht"] / 100, currency)
        tax = vat if plan_type == "collection" else -wht
        told = tuple(Fraction(invoice[name]) for name in ("subtotal", "tax", "total"))
        assert told == (subtotal, abs(tax), subtotal + tax), invoice
        assert invoice["status"] == ("finalized" if told[2] else "paid"), invoice

    def live_sums(self, sub_id: str, before: str = "~") -> tuple[Fraction, Fraction]:
        """All lines but `rounding` of a subscription's live invoices, and their subtotals."""
        live = [
            known
            for known in self.invoices.values()
            if known["subscription_id"] == sub_id
            and known["status"] in LIVE
            and known["number"] < before
        ]
        exact = sum(
            (sum_of(known["line_items"], "usage", "fee", "credit") for known in live),
            Fraction(0),
        )
        return exact, sum((Fraction(known["subtotal"]) for known in live), Fraction(0))

    def may_rest(self, sub_id: str, rest: Fraction) -> bool:
        """Whether what is still due is too little for a supplementary invoice."""
        exact, rounded = self.live_sums(sub_id)
        currency = self.subs[sub_id].phases[-1].plan.currency
        return bool(self.subs[sub_id].canceled_at) and (
            to_minor_unit(exact + rest, currency) == rounded
        )

    def check_sums(self) -> None:
        """For each subscription, period and price, live invoices charge what has come due."""
        sums: dict[tuple[str, datetime], dict[str, Fraction]] = defaultdict(dict)
        for invoice in self.invoices.values():
            for line in invoice["line_items"]:
                own = line["period_start"] == invoice["period_start"]
                counts = invoice["status"] in LIVE or (own and invoice["id"] in self.waived)
                if counts and line["kind"] not in {"credit", "rounding"}:
                    due = sums[invoice["subscription_id"], line["period_start"]]
                    key = line["price_id"] or FEE
                    due[key] = due.get(key, Fraction(0)) + Fraction(line["amount"])
        rests: dict[str, Fraction] = defaultdict(Fraction)
        for key in {*sums, *self.expected}:
            rests[key[0]] += sum(self.expected[key].values()) - sum(sums[key].values())
        for key in {*sums, *self.expected}:
            told = {name: str(amount) for name, amount in sums[key].items() if amount}
            known = {name: str(amount) for name, amount in self.expected[key].items() if amount}
            assert told == known or self.may_rest(key[0], rests[key[0]]), (
                f"{key}: billed {told}, due {known}; {self.tell(*key)}"
            )

    def tell(self, sub_id: str, start: datetime) -> str:
        """What is known of a period, for whoever reads a failure."""
        lines = [
            (known["kind"], known["status"], known["number"], line["kind"], line["amount"])
            for known in self.invoices.values()
            if known["subscription_id"] == sub_id
            for line in known["line_items"]
            if line["period_start"] == start
        ]
        sub = self.subs[sub_id]
        phases = [(phase.plan.edits, phase.started, phase.joined) for phase in sub.phases]
        return "\n".join(map(str, (*lines, self.closed.get((sub_id, start)), *phases)))

    def check_closings(self) -> None:
        """Each ended period has one closing, made when it was due, unless it is waived."""
        found: dict[tuple[str, datetime], list[dict[str, Any]]] = defaultdict(list)
        for invoice in self.invoices.values():
            if invoice["kind"] == "closing" and invoice["status"] in LIVE:
                found[invoice["subscription_id"], invoice["period_start"]].append(invoice)
        told = {
            key: [(known["period_end"], known["finalized_at"]) for known in closings]
            for key, closings in found.items()
        }
        known = {
            key: [(frozen.span[1], frozen.at)]
            for key, frozen in self.closed.items()
            if not frozen.waived
        }
        assert told == known, difference(told, known)


def difference(told: dict[Any, Any], known: dict[Any, Any]) -> str:
    """What only one of two dictionaries says."""
    return f"only told {_only(told, known)}, only known {_only(known, told)}"


def _only(one: dict[Any, Any], other: dict[Any, Any]) -> dict[Any, Any]:
    return {key: value for key, value in one.items() if other.get(key) != value}
