"""Whether what many threads were answered can be explained by some order of what they asked.

Each request took place at some moment between its sending and its answer. A refusal for lack of
money must have been possible at one of these moments, and so must each acceptance.
"""

from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True)
class Change:
    """An accepted change of what a wallet can spend: by how much, and between which moments."""

    wallet: str
    begun: float
    ended: float
    amount: Decimal


@dataclass(frozen=True)
class Asked:
    """A request for money: how much, between which moments, and whether it was granted."""

    wallet: str
    begun: float
    ended: float
    amount: Decimal
    granted: bool


def unexplained(changes: list[Change], asked: list[Asked]) -> list[str]:
    """The answers that no order of the changes explains."""
    faults = []
    for one in asked:
        known = [change for change in changes if change.wallet == one.wallet]
        least, most = bounds(known, one)
        if one.granted and most < one.amount:
            faults.append(f"granted, though at most {most} was there: {one}")
        if not one.granted and least >= one.amount:
            faults.append(f"refused, though at least {least} was there: {one}")
    return faults


def bounds(changes: list[Change], one: Asked) -> tuple[Decimal, Decimal]:
    """The least and the most that can have been there while a request was under way."""
    before = [change for change in changes if change.ended < one.begun]
    meanwhile = [
        change for change in changes if change.ended >= one.begun and change.begun <= one.ended
    ]
    sure = sum((change.amount for change in before), ZERO)
    # Its own change is among those meanwhile, and can't explain itself.
    taken = sum((change.amount for change in meanwhile if change.amount < 0), ZERO)
    given = sum((change.amount for change in meanwhile if change.amount > 0), ZERO)
    return sure + taken, sure + given
