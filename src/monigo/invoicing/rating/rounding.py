"""What an invoice comes to: its lines rounded to the minor unit, and what that leaves. Pure.

Lines are exact, subtotals whole minor units. What a subtotal takes off its lines, or adds, is
carried to the subscription's next invoice, so that all of its subtotals together are all of its
lines together, rounded once: 0.5 billed ten times comes to 5, not to 10.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import reduce

from msgspec import Struct

from monigo.core.ids import SubscriptionId
from monigo.core.money import EXACT, minor_unit_places, round_to_minor_unit
from monigo.core.periods import Period
from monigo.invoicing.rating.rules import check_amount, unpriced_line, with_credit
from monigo.invoicing.types import InvoiceKind, Line, LineKind, RatedInvoice

_ZERO, _HALF, _ONE = Decimal(0), Decimal("0.5"), Decimal(1)
_CHARGING = (LineKind.USAGE, LineKind.FEE)


class Carried(Struct, frozen=True):
    """The rounding that the live invoices of a subscription carry.

    `rounding` is Σ (their lines, `rounding` left out, less their subtotal), `subtotals` the sum of
    their subtotals. Only an exact half of a minor unit is rounded by the latter, so it may be left
    at 0 for any other sum.
    """

    rounding: Decimal = _ZERO
    subtotals: Decimal = _ZERO


NOTHING_CARRIED = Carried()


class Summed(Struct, frozen=True):
    """All lines of an invoice, their rounded sum, and what it leaves for the next invoice."""

    lines: Sequence[Line]
    subtotal: Decimal
    rounded_off: Decimal


def sum_up(
    lines: Sequence[Line],
    *,
    period: Period,
    currency: str,
    carried: Carried,
    available: Decimal,
) -> Summed:
    """Add what is carried of rounding and credit to an invoice's own lines, and round their sum.

    `available` is the credit that the customer's earlier invoices carried forward.

    Raises:
        DomainError: conflict, when a credit is more than an invoice can hold.
    """
    charged = lines
    if carried.rounding:
        charged = [*lines, unpriced_line(LineKind.ROUNDING, period, "rounding", carried.rounding)]
    exact = sum_exactly(charged)
    due = rounded_sum(exact, subtotals=carried.subtotals, currency=currency)
    if due > 0 and available > 0:
        rest = EXACT.subtract(exact, due)
        if rounded_sum(rest, subtotals=carried.subtotals, currency=currency) < 0:
            # A half that was rounded up: a credit of all that is due would turn it around.
            available = min(available, exact)
    all_lines = with_credit(charged, period=period, due=due, available=available)
    if all_lines is not charged:
        for line in all_lines:
            check_amount(line.amount, line.description)
        exact = sum_exactly(all_lines)
        due = rounded_sum(exact, subtotals=carried.subtotals, currency=currency)
    left = EXACT.subtract(EXACT.subtract(exact, carried.rounding), due)
    return Summed(all_lines, subtotal=due, rounded_off=left)


def is_worth_an_invoice(rated: RatedInvoice) -> bool:
    """Whether an invoice that nobody asked for is made.

    A period always gets its closing one, others are made only when they charge something, and a
    supplementary one only when that is at least a minor unit, or is settled by a credit. A carried
    rounding alone is no reason for an invoice.
    """
    if rated.wanted.kind is InvoiceKind.CLOSING:
        return True
    if rated.wanted.kind is InvoiceKind.SUPPLEMENTARY and not _is_anything_due(rated):
        return False
    return any(line.amount for line in rated.lines if line.kind in _CHARGING)


def resting(rated: Iterable[RatedInvoice]) -> dict[SubscriptionId, datetime]:
    """Which subscriptions' differences are too small for an invoice yet, and stay due.

    With each, where the first period begins that has such a difference.
    """
    found: dict[SubscriptionId, datetime] = {}
    for item in rated:
        if is_worth_an_invoice(item):
            continue
        periods = [line.period for line in item.lines if line.amount and line.kind in _CHARGING]
        if periods:
            found[item.wanted.subscription.id] = min(period.start for period in periods)
    return found


def _is_anything_due(rated: RatedInvoice) -> bool:
    is_credit_moved = any(line.kind is LineKind.CREDIT for line in rated.lines)
    return bool(rated.totals.subtotal) or is_credit_moved


def sum_exactly(lines: Iterable[Line]) -> Decimal:
    """The lines' amounts, added up."""
    return reduce(EXACT.add, (line.amount for line in lines), _ZERO)


def rounded_sum(exact: Decimal, *, subtotals: Decimal, currency: str) -> Decimal:
    """An invoice's subtotal, by its exact sum and its subscription's earlier subtotals.

    Their total is rounded half away from zero, less what was billed: after a 0.5 that was billed as
    1, the excess of 0.5 is taken off later amounts, and is not credited as 1.
    """
    whole = round_to_minor_unit(EXACT.add(subtotals, exact), currency)
    return EXACT.subtract(whole, subtotals)


def is_half(exact: Decimal, currency: str) -> bool:
    """Whether a sum lies between two minor units, so that which one it is hangs on its sign."""
    minor_units = EXACT.scaleb(abs(exact), minor_unit_places(currency))
    return EXACT.remainder(minor_units, _ONE) == _HALF


def is_rounded(subtotal: Decimal, exact: Decimal, currency: str) -> bool:
    """Whether a sum can be rounded to a subtotal, whatever the earlier subtotals were."""
    many = EXACT.multiply(round_to_minor_unit(abs(exact), currency), Decimal(2))
    return subtotal in {
        rounded_sum(exact, subtotals=earlier, currency=currency) for earlier in (_ZERO, many)
    }
