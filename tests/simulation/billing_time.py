"""What the passing of time and each change of a subscription bill, and how it is paid.

Written from the behaviour page: periods are closed one after the other, each with all that is due
by then; prepaid and realtime plans are paid from wallets, and pause where too little is there.
"""

from datetime import datetime, timedelta

from simulation.billing_books import Books
from simulation.billing_invoices import Bill
from simulation.billing_prices import PLACES
from simulation.billing_subscriptions import Phase, Plan, Span, Sub
from simulation.billing_wallets import (
    NOTHING,
    Due,
    Grant,
    Part,
    Wallet,
    added_up,
    divided,
    in_units,
    sum_of,
)
from simulation.billing_wire import DAY, MICROSECOND

FIRST_LOOK = timedelta(hours=1, minutes=5)
LOOKS_END = 91
# So long a credit that expired is kept for periods that a pause keeps open.
KEPT_MAX = 90 * DAY
# Periods that a request closes by itself; the rest follow as soon as the clock moves.
INLINE_MAX = 12
NO_GRACE = timedelta()


class Biller:
    """Lets everything happen in the books that has to happen by itself."""

    def __init__(self, books: Books) -> None:
        self.books = books

    # When something happens.

    def advance(self, now: datetime, to: datetime) -> None:
        """Let everything happen that is due up to an instant, in order."""
        while (at := self.next_due(now)) is not None and at <= to:
            now = at
            self.run(now)

    def settle(self, now: datetime) -> None:
        """Let everything happen that is due now."""
        self.advance(now, now)

    def next_due(self, now: datetime) -> datetime | None:
        """When something happens next."""
        dues = [self.due(sub, now) for sub in self.books.subs.values()]
        dues += [sub.scheduled[1] for sub in self.books.subs.values() if sub.scheduled]
        dues += [now] if self.books.credited else []
        return max(now, first) if (first := min(filter(None, dues), default=None)) else None

    def run(self, now: datetime) -> None:
        """What happens at an instant: plans change, periods close, credits expire."""
        books = self.books
        books.keep(now)
        for sub in books.subs.values():
            self.change_as_scheduled(sub, now)
        self.wake()
        while dues := [sub for sub in books.subs.values() if self.is_due(sub, now)]:
            self.take(dues, now, books.grace)

    def is_due(self, sub: Sub, now: datetime) -> bool:
        due = self.due(sub, now)
        return due is not None and due <= now

    def due(self, sub: Sub, now: datetime) -> datetime | None:
        """When something happens to a subscription next."""
        span = sub.first_open()
        if sub.woken:
            has_ended = sub.reason == "balance" and span is not None and span[1] <= now
            due = max(now, self.closes_at(sub, span)) if has_ended else now
            return min(due, sub.ends_at or due)
        if sub.status == "canceled":
            if span is not None or sub.recheck:
                return now
            looks = [sub.canceled_at + FIRST_LOOK]
            looks += [sub.canceled_at + days * DAY for days in range(1, LOOKS_END + 1)]
            return next((look for look in looks if look > (sub.looked or now - DAY)), None)
        if sub.status == "paused":
            return sub.ends_at
        due = span[0] if sub.is_new else self.closes_at(sub, span)
        return min(due, sub.ends_at or due)

    def closes_at(self, sub: Sub, span: Span) -> datetime:
        at_once = sub.status == "canceled" or sub.is_trial(span)
        return span[1] if at_once else span[1] + self.books.grace

    def may_be_swept(self, wallet: Wallet, grant: Grant, now: datetime) -> bool:
        """Whether what is left of a credit may be taken back: no period waits that it may pay."""
        if grant.expires is None or grant.expires > now:
            return False
        books = self.books
        ends = [
            span[1]
            for sub in books.of_customer(wallet.customer, "collection")
            if sub.plan.currency == wallet.currency
            and (span := sub.first_open()) is not None
            and not sub.is_trial(span)
        ]
        return all(end > grant.expires for end in ends) or now >= grant.expires + KEPT_MAX

    def wake(self) -> None:
        """Those who wait for a credit are looked at again."""
        books = self.books
        waiting = {id(bill.sub) for bill in self.waiting(books.credited)}
        for sub in books.subs.values():
            if (sub.customer in books.credited and sub.reason == "balance") or id(sub) in waiting:
                sub.woken = True
        books.credited.clear()

    # What happens.

    def request(self, sub: Sub, now: datetime, *, strict: bool = False) -> bool:
        """What a change bills at once; whether, if it must be paid, it could be."""
        for _ in range(INLINE_MAX):
            action, _ = self.step(sub, now, NO_GRACE)
            if action in {"", "settle"}:
                break
            short = self.take([sub], now, NO_GRACE)
            if short and strict:
                return False
            if action == "open" or sub.reason == "balance":
                break
        return True

    def step(self, sub: Sub, now: datetime, grace: timedelta) -> tuple[str, Span | None]:
        """What is to be done for a subscription now, and for which period."""
        has_ended = sub.status == "canceled"
        if not has_ended and sub.ends_at is not None and sub.ends_at <= now:
            return "end", None
        span = sub.first_open()
        if span is None:
            return ("settle", None) if has_ended else ("", None)
        waits = not has_ended and (sub.reason == "merchant" or now < span[0])
        if now < span[1] or waits:
            return ("", None) if waits or sub.is_trial(span) else ("open", span)
        if sub.is_trial(span):
            return "trial_end", span
        if now < span[1] + grace and not has_ended:
            return "", None
        return "close", span

    def take(self, subs: list[Sub], now: datetime, grace: timedelta) -> bool:
        """One step of each of these subscriptions; whether a wallet had too little for one."""
        steps = []
        for sub in subs:
            sub.woken, sub.is_new = False, sub.is_new and now < sub.start
            action, span = self.step(sub, now, grace)
            if action == "end":
                self.cancel(sub, sub.ends_at)
            steps.append((sub, action, span))
        short = {sub.id for sub, action, span in steps if self.bill(sub, action, span, now)}
        for sub, action, _ in steps:
            if action == "open" and self.mode_of(sub) == "realtime" and self.charge(sub, now):
                short.add(sub.id)
        for sub, action, _ in steps:
            if action == "settle" and self.mode_of(sub) != "postpaid":
                self.pay_waiting(sub.customer, now)
        for sub, action, span in steps:
            self.move_on(sub, action, span, now, is_short=sub.id in short)
        for sub, action, _ in steps:
            has_begun = action in {"close", "trial_end"} and sub.status == "active"
            if has_begun and self.mode_of(sub) == "realtime" and self.charge(sub, now):
                self.pause_for_balance(sub, now)
                short.add(sub.id)
        return bool(short)

    def mode_of(self, sub: Sub) -> str:
        return self.books.mode(sub, sub.closed_until)

    def bill(self, sub: Sub, action: str, span: Span | None, now: datetime) -> bool:
        """The invoice of a step; whether it lacks the money to be made final."""
        bill = self.drawn_up(sub, action, span, now)
        if bill is None:
            return False
        return not self.make_final(bill, now)

    def move_on(
        self, sub: Sub, action: str, span: Span | None, now: datetime, *, is_short: bool
    ) -> None:
        """A subscription after its step."""
        if is_short:
            if action == "trial_end":
                sub.closed_until = span[1]
            self.pause_for_balance(sub, now)
            return
        if action in {"close", "trial_end"}:
            sub.closed_until = span[1]
        if action in {"close", "settle"}:
            sub.recheck, sub.looked = False, now
        if action in {"close", "open"} and sub.reason == "balance":
            # A credit has nothing more to lift, whoever had the period billed.
            self.end_pause(sub, now)
            sub.woken = False

    def drawn_up(self, sub: Sub, action: str, span: Span | None, now: datetime) -> Bill | None:
        """What a step bills; None where it is nothing."""
        books = self.books
        if action == "close":
            frozen = books.terms(sub, span, now)
            bill = self.blank(sub, span, "closing", now)
            books.own_lines(bill, frozen, fee=True)
            following = sub.period_at(span[1])
            terms = books.terms(sub, following, now)
            if sub.status == "active" and terms.in_advance:
                books.fee_line(bill, terms)
            books.adjustments(bill)
            bill.frozen = frozen
        elif action == "settle":
            last = [known.span for known in books.closed.values() if known.sub is sub]
            if not last:
                return None
            bill = self.blank(sub, max(last), "supplementary", now)
            books.adjustments(bill)
        else:
            begun = self.begun(sub, action, span)
            if begun is None or books.mode(sub, begun[0]) == "realtime":
                return None
            is_left = books.mode(sub, begun[0]) == "postpaid"
            if is_left and books.has_draft(sub, begun):
                return None
            bill = self.blank(sub, begun, "interim", now)
            terms = books.terms(sub, begun, now)
            if terms.in_advance:
                books.fee_line(bill, terms)
        due = books.sums.total_up(bill, books.taxes)
        is_nothing = not any(bill.lines.values()) or (action == "settle" and not due)
        return None if action != "close" and is_nothing else bill

    def begun(self, sub: Sub, action: str, span: Span | None) -> Span | None:
        """The period that begins in a step."""
        if action == "open":
            return span
        is_beginning = action == "trial_end" and sub.status == "active"
        return sub.period_at(span[1]) if is_beginning else None

    def blank(self, sub: Sub, span: Span, kind: str, now: datetime) -> Bill:
        return Bill(sub, span, kind, now, self.books.mode(sub, span[0]), {}, {})

    def make_final(self, bill: Bill, now: datetime, *, must_pay: bool = False) -> bool:
        """An invoice is paid as its plan says, and counts; False where a wallet lacks the money.

        What an ended subscription owes becomes final anyway, and waits for later credits, unless
        somebody asks for it to be made final.
        """
        if not self.collect(bill, now):
            if must_pay or bill.sub.status != "canceled":
                return False
        elif not bill.due:
            bill.status = "paid"
        self.books.sums.add(bill)
        self.books.bills.append(bill)
        if bill.frozen is not None:
            self.books.closed[bill.sub.id, bill.span[0]] = bill.frozen
        return True

    # How it is paid.

    def wallet_of(self, bill: Bill) -> Wallet | None:
        return self.books.wallets.get((bill.sub.customer, bill.currency))

    def collect(self, bill: Bill, now: datetime) -> bool:
        """Take from the wallet what is due; False where all of it must be there and is not."""
        wallet, key = self.wallet_of(bill), (bill.sub.id, bill.span[0])
        if bill.plan_type == "payout":
            return True
        shares = bill.shares()
        if bill.mode == "postpaid":
            if wallet:
                due, end = due_of(shares, []), bill.span[1]
                paid = wallet.by_credits(due, bill.total, end, now)
                bill.parts = in_units(paid, PLACES[bill.currency])
                for part in bill.parts:
                    wallet.take(part)
            return True
        kept, back = divided(self.books.charges.get(key, []), shares, bill.total)
        rest = bill.total - sum_of(kept)
        paid = []
        if rest > 0 and wallet:
            paid = wallet.pay(due_of(shares, kept), rest, bill.span[1], now, in_part=False)
        is_short = sum_of(paid) < rest
        if is_short and bill.sub.status != "canceled":
            return False
        bill.parts = added_up([*kept, *paid])
        self.books.charges.pop(key, None)
        if bill.kind == "closing":
            self.give_back(bill, back)
        elif back:
            self.books.charges[key] = back
        return not is_short

    def charge(self, sub: Sub, now: datetime) -> bool:
        """Take what a running realtime period has come to; whether too little was there."""
        books, span = self.books, sub.first_open()
        if span is None or not span[0] <= now < span[1] or sub.is_trial(span):
            return False
        bill, frozen = self.blank(sub, span, "interim", now), books.terms(sub, span, now)
        books.own_lines(bill, frozen, fee=frozen.in_advance, minimum=False)
        books.sums.total_up(bill, books.taxes)
        before = books.charges.get((sub.id, span[0]), [])
        rest = bill.total - sum_of(before)
        if rest <= 0:
            return False
        wallet, due = self.wallet_of(bill), due_of(bill.shares(), before)
        paid = wallet.pay(due, rest, span[1], now, in_part=True) if wallet else []
        if paid:
            books.charges[sub.id, span[0]] = added_up([*before, *paid])
        return sum_of(paid) < rest

    def charge_all(self, now: datetime) -> None:
        """Realtime plans whose customers' usage changed are charged."""
        books = self.books
        for sub in books.subs.values():
            is_changed = sub.customer in books.changed & books.watched
            is_charged = is_changed and sub.status == "active" and sub.plan.mode == "realtime"
            if is_charged and self.charge(sub, now):
                self.pause_for_balance(sub, now)
        books.changed.clear()

    def waiting(self, customers: set[str]) -> list[Bill]:
        """Final invoices that wallets could not pay before, oldest first."""
        return [
            bill
            for bill in self.books.bills
            if bill.sub.customer in customers
            and bill.status == "finalized"
            and bill.mode != "postpaid"
            and bill.plan_type == "collection"
        ]

    def pay_waiting(self, customer: str, now: datetime) -> None:
        """What is there pays waiting invoices, the oldest first; each whole."""
        for bill in self.waiting({customer}):
            wallet, due = self.wallet_of(bill), due_of(bill.shares(), bill.parts)
            end, rest = bill.span[1], bill.due
            paid = wallet.pay(due, rest, end, now, in_part=False) if wallet else []
            if sum_of(paid) < rest:
                return
            bill.parts, bill.status = added_up([*bill.parts, *paid]), "paid"

    def give_back(self, bill: Bill, parts: list[Part]) -> None:
        """What was paid goes back to where it came from."""
        wallet = self.wallet_of(bill)
        if wallet and parts:
            wallet.give_back(parts)
            self.books.credited.add(bill.sub.customer)

    def undo_charges(self, sub: Sub) -> None:
        """What was charged for a period goes back where a change leaves the period no length."""
        key, cut = (sub.id, sub.closed_until), sub.canceled_at or sub.phases[-1].started
        parts = self.books.charges.pop(key, []) if sub.closed_until >= cut else []
        if parts:
            self.books.wallets[sub.customer, sub.plan.currency].give_back(parts)
            self.books.credited.add(sub.customer)

    def pay_back(self, bill: Bill) -> None:
        """All that wallets paid of an invoice goes back."""
        self.give_back(bill, bill.parts)
        bill.parts = []

    # What becomes of subscriptions.

    def cancel(self, sub: Sub, at: datetime) -> None:
        self.end_pause(sub, at)
        sub.status, sub.canceled_at, sub.looked, sub.scheduled = "canceled", at, at, None

    def pause(self, sub: Sub, now: datetime) -> None:
        sub.status, sub.reason = "paused", "merchant"
        sub.pauses.append([now, None])

    def pause_for_balance(self, sub: Sub, now: datetime) -> None:
        """From the moment on that a wallet lacks money; what was used up to it stays due."""
        if sub.status == "active":
            sub.status, sub.reason = "paused", "balance"
            sub.pauses.append([now + MICROSECOND, None])

    def end_pause(self, sub: Sub, at: datetime) -> None:
        if sub.status == "paused":
            sub.status, sub.reason = "active", ""
        for pause in sub.pauses:
            pause[1] = max(pause[0], at) if pause[1] is None else pause[1]

    def join(self, sub: Sub, plan: Plan, now: datetime) -> None:
        """The subscription goes on under another plan."""
        last = sub.phases[-1]
        sub.scheduled = None
        if now > last.started and now >= last.anchor:
            sub.phases.append(Phase(plan, now, now, now))
        else:
            sub.phases[-1] = Phase(plan, max(now, last.started), last.anchor, now)

    def change_as_scheduled(self, sub: Sub, now: datetime) -> None:
        """A plan that was scheduled takes over as the next period begins."""
        if sub.scheduled is None or sub.scheduled[1] > now:
            return
        plan, at = sub.scheduled
        sub.scheduled = None
        if sub.status == "canceled" or (sub.ends_at is not None and sub.ends_at <= at):
            return
        sub.phases.append(Phase(plan, at, at, at))
        if plan.mode == "realtime":
            self.watch(sub.customer)

    def watch(self, customer: str) -> None:
        """A realtime plan's customer is charged as its usage changes."""
        self.books.watched.add(customer)
        self.books.changed.add(customer)


def due_of(shares: Due, before: list[Part]) -> Due:
    """How much may still be paid for each metric, where nobody paid it before."""
    due = dict(shares)
    for part in before:
        due[part.metric] = due.get(part.metric, NOTHING) - part.amount
    return {metric: amount for metric, amount in due.items() if amount > 0}
