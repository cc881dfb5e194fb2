"""Wallets as the auditor keeps them: money, and credits that pay before it.

Written from the behaviour page: in priority, then earliest expiry, then oldest; what a credit for
some metrics may pay is those metrics' lines alone.
"""

from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

NOTHING = Fraction(0)

# What is due, by metric in the order of the lines; under None what no metric stands behind.
Due = dict[str | None, Fraction]


@dataclass(eq=False)
class Grant:
    """A credit that was granted."""

    id: str
    number: int
    amount: Fraction
    remaining: Fraction
    priority: int
    expires: datetime | None
    metrics: frozenset[str]
    revoked: bool = False
    # Something came back to it after it had expired.
    returned: bool = False

    def may_pay(self, period_end: datetime, now: datetime) -> bool:
        """Whether it is still valid for a period."""
        return self.expires is None or self.expires >= min(period_end, now)

    def order(self) -> tuple[int, bool, float, int]:
        """In which turn it pays."""
        expires = self.expires.timestamp() if self.expires else 0.0
        return self.priority, self.expires is None, expires, self.number


@dataclass(frozen=True)
class Part:
    """What one grant, or money (no grant), paid for one metric's usage, or for something else."""

    grant: Grant | None
    metric: str | None
    amount: Fraction


@dataclass(eq=False)
class Wallet:
    """One customer's money and credits in one currency."""

    id: str
    customer: str
    currency: str
    balance: Fraction = NOTHING
    grants: list[Grant] = field(default_factory=list)

    def pay(self, due: Due, period_end: datetime, now: datetime, *, in_part: bool) -> list[Part]:
        """Take what is due; nothing where not all of it is there, unless a part will do."""
        parts = self.by_credits(due, period_end, now)
        rest = dict(due)
        for part in parts:
            rest[part.metric] -= part.amount
        missing = sum(rest.values(), NOTHING)
        if missing > self.balance and not in_part:
            return []
        money = min(missing, self.balance)
        for metric, amount in rest.items():
            took = min(amount, money)
            if took > 0:
                parts.append(Part(None, metric, took))
                money -= took
        for part in parts:
            self.take(part)
        return parts

    def by_credits(self, due: Due, period_end: datetime, now: datetime) -> list[Part]:
        """What credits would pay of what is due."""
        rest, parts = dict(due), []
        for grant in sorted(self.grants, key=Grant.order):
            left = grant.remaining if grant.may_pay(period_end, now) else NOTHING
            for metric, amount in rest.items():
                fits = not grant.metrics or metric in grant.metrics
                took = min(left, amount) if fits else NOTHING
                if took > 0:
                    parts.append(Part(grant, metric, took))
                    left -= took
                    rest[metric] -= took
        return parts

    def take(self, part: Part) -> None:
        if part.grant is None:
            self.balance -= part.amount
        else:
            part.grant.remaining -= part.amount

    def give_back(self, parts: list[Part]) -> None:
        """Return what was paid to where it came from."""
        for part in parts:
            if part.grant is None:
                self.balance += part.amount
            else:
                part.grant.remaining += part.amount


def excess_of(parts: list[Part], excess: Fraction, lines: Due) -> list[Part]:
    """What of some payments goes back when they came to too much, in the order of the page.

    First each credit for some metrics gets back what exceeds their lines, then money, then the
    other credits, the last used first.
    """
    back: list[Part] = []

    def put_back(grant: Grant | None, amount: Fraction) -> None:
        nonlocal excess
        amount = min(amount, excess)
        if amount > 0:
            back.append(Part(grant, None, amount))
            excess -= amount

    used = list(dict.fromkeys(part.grant for part in parts))
    paid = {grant: sum(p.amount for p in parts if p.grant is grant) for grant in used}
    for grant in used:
        if grant is not None and grant.metrics:
            own = sum((lines.get(metric, NOTHING) for metric in grant.metrics), NOTHING)
            put_back(grant, paid[grant] - own)
    put_back(None, paid.get(None, NOTHING))
    returned = {part.grant: part.amount for part in back}
    last = [part.grant for part in reversed(parts) if part.grant is not None]
    for grant in dict.fromkeys(last):
        put_back(grant, paid[grant] - returned.get(grant, NOTHING))
    return back
