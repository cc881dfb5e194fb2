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

    def pay(
        self, due: Due, rest: Fraction, period_end: datetime, now: datetime, *, in_part: bool
    ) -> list[Part]:
        """Take what is due; nothing where not all of it is there, unless a part will do."""
        parts = self.by_credits(due, rest, period_end, now)
        missing = rest - sum_of(parts)
        if missing > self.balance and not in_part:
            return []
        money, left = min(missing, self.balance), dict(due)
        for part in parts:
            left[part.metric] -= part.amount
        for metric, amount in left.items():
            took = min(amount, money)
            if took > 0:
                parts.append(Part(None, metric, took))
                money -= took
        for part in parts:
            self.take(part)
        return parts

    def by_credits(
        self, due: Due, rest: Fraction, period_end: datetime, now: datetime
    ) -> list[Part]:
        """What credits would pay of what is due by metric, in all at most the rest."""
        unpaid, parts = dict(due), []
        for grant in sorted(self.grants, key=Grant.order):
            left = grant.remaining if grant.may_pay(period_end, now) else NOTHING
            for metric, amount in unpaid.items():
                fits = not grant.metrics or metric in grant.metrics
                took = min(left, amount, rest) if fits else NOTHING
                if took > 0:
                    parts.append(Part(grant, metric, took))
                    left -= took
                    rest -= took
                    unpaid[metric] -= took
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
            elif not part.grant.revoked:
                part.grant.remaining += part.amount


def sum_of(parts: list[Part]) -> Fraction:
    """What some payments come to."""
    return sum((part.amount for part in parts), NOTHING)


def in_units(parts: list[Part], places: int) -> list[Part]:
    """Payments cut at their end, so that the rest can be paid in the currency's smallest unit."""
    beyond, kept = sum_of(parts) % Fraction(1, 10**places), []
    for part in reversed(parts):
        cut = min(beyond, part.amount)
        beyond -= cut
        kept.insert(0, Part(part.grant, part.metric, part.amount - cut))
    return [part for part in kept if part.amount]


def added_up(parts: list[Part]) -> list[Part]:
    """One payment for each source and metric, those last used at the end."""
    sums: dict[tuple[Grant | None, str | None], Fraction] = {}
    for part in parts:
        key = part.grant, part.metric
        sums[key] = sums.pop(key, NOTHING) + part.amount
    return [Part(*key, amount) for key, amount in sums.items() if amount]


def divided(parts: list[Part], shares: Due, total: Fraction) -> tuple[list[Part], list[Part]]:
    """What of some payments counts for an invoice, and what goes back to its sources.

    First each credit for some metrics gets back what exceeds their lines; then, of what is still
    too much, money; then the other credits, the last used first.
    """
    kept, back = within_limits(parts, shares)
    beyond = sum_of(kept) - total
    of_money = [part for part in kept if part.grant is None]
    of_credits = [part for part in kept if part.grant is not None]
    for part in (*reversed(of_money), *reversed(of_credits)):
        took = min(part.amount, max(beyond, NOTHING))
        if took:
            beyond -= took
            back.append(Part(part.grant, part.metric, took))
            kept[kept.index(part)] = Part(part.grant, part.metric, part.amount - took)
    return added_up(kept), added_up(back)


def within_limits(parts: list[Part], shares: Due) -> tuple[list[Part], list[Part]]:
    """What credits for some metrics paid for these metrics' lines, and what beyond them.

    What is too much for one of a credit's metrics counts for another of them that has room.
    """
    room = {metric: max(share, NOTHING) for metric, share in shares.items()}
    kept = list(parts)
    limited = [place for place, part in enumerate(parts) if part.grant and part.grant.metrics]
    limited.sort(key=lambda place: len(parts[place].grant.metrics))
    beyond = []
    for place in limited:
        part = parts[place]
        fits = min(part.amount, room.get(part.metric, NOTHING))
        room[part.metric] = room.get(part.metric, NOTHING) - fits
        kept[place] = Part(part.grant, part.metric, fits)
        beyond.append(Part(part.grant, part.metric, part.amount - fits))
    back = []
    for part in beyond:
        left = part.amount
        for metric in part.grant.metrics:
            fits = min(left, room.get(metric, NOTHING))
            if fits:
                room[metric] -= fits
                left -= fits
                kept.append(Part(part.grant, metric, fits))
        back.append(Part(part.grant, part.metric, left))
    return kept, back
