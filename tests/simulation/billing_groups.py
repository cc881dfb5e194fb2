"""How a price's amount is split over the values of its metric's `group_by`."""

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from typing import Any

from simulation.billing_books import Books
from simulation.billing_invoices import LIVE, Bill
from simulation.billing_prices import Spec
from simulation.billing_wallets import NOTHING

# A share is told in six places; what is left over of all of them is on one.
STEP = Fraction(1, 10**6)

Groups = dict[str, Fraction]


def note_groups(told: dict[str, Any], bill: Bill) -> None:
    """Keep what an invoice's lines say of each value."""
    for line in told["line_items"]:
        if line["kind"] == "usage":
            values = bill.told_groups.setdefault((line["period_start"], line["price_id"]), {})
            value = line["group_value"]
            values[value] = values.get(value, NOTHING) + Fraction(line["amount"])


def check_groups(books: Books, bill: Bill) -> None:
    """Each value's lines come to its share of the price's amount so far."""
    for key, (spec, amount, quantities) in bill.grouped.items():
        found: Groups = defaultdict(Fraction)
        for other in books.bills:
            counts = other.status in LIVE or (other.waived and key[0] == other.span[0])
            if other.sub is bill.sub and counts:
                for value, part in other.told_groups.get(key, {}).items():
                    found[value] += part
        known = shares(spec, amount, quantities)
        apart = [
            value
            for value in found.keys() | known.keys()
            if abs(found[value] - known.get(value, NOTHING)) > STEP
        ]
        # The remainder is on the largest.
        told = {value: float(part) for value, part in found.items()}
        assert len(apart) <= 1, (told, spec, known, str(bill))
        assert sum(found.values()) == amount, (told, spec, known, str(bill))


def shares(spec: Spec, amount: Fraction, quantities: dict[str, Decimal]) -> Groups:
    """Each value's share, pro rata; where values add and take, each by the rate of a unit."""
    parts = {value: Fraction(quantity) for value, quantity in quantities.items()}
    if len(parts) <= 1:
        return dict.fromkeys(parts or [""], amount)
    rate = None
    if spec.model == "flat_unit":
        rate = Fraction(spec.unit_price or 0)
    elif spec.model == "percentage":
        rate = Fraction(spec.tiers["rate"])
    if rate is not None and min(parts.values()) < 0 < max(parts.values()):
        return {value: quantity * rate for value, quantity in parts.items()}
    if rate is None:
        parts = {value: max(quantity, NOTHING) for value, quantity in parts.items()}
    whole = sum(parts.values(), NOTHING)
    return {value: amount * part / whole if whole else NOTHING for value, part in parts.items()}
