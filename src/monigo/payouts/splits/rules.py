"""Pure rules of splits: which ones there can be, and what they make of an amount."""

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal

from monigo.core.errors import invalid
from monigo.core.ids import PayoutAccountId
from monigo.core.money import EXACT, ROUNDING, Money, minor_unit_places, round_amount
from monigo.payouts.splits.types import Split

# A fleet has an owner, a financier and a few others; each is a transfer of every bill.
SPLITS_MAX = 20
_ALL = Decimal(100)


def check_splits(splits: Sequence[Split]) -> None:
    """Raise invalid, naming each fault, unless these can be the splits of a plan."""
    faults: dict[str, str] = {}
    if len(splits) > SPLITS_MAX:
        faults["splits"] = f"must be at most {SPLITS_MAX}"
    seen: set[PayoutAccountId] = set()
    for position, split in enumerate(splits[:SPLITS_MAX]):
        name = f"splits[{position}]"
        if (split.percentage is None) == (split.amount is None):
            faults[name] = "must have either a percentage or an amount"
        elif split.percentage is not None and not 0 < split.percentage <= _ALL:
            faults[f"{name}.percentage"] = "must be above 0, and at most 100"
        elif split.amount is not None and split.amount <= 0:
            faults[f"{name}.amount"] = "must be above 0"
        if split.payout_account_id in seen:
            faults[f"{name}.payout_account_id"] = "must be another one in each split"
        seen.add(split.payout_account_id)
    if not faults:
        shares = [one.percentage for one in splits if one.percentage is not None]
        if sum(shares, Decimal(0)) > _ALL:
            faults["splits"] = "percentages must come to at most 100"
    if faults:
        raise invalid(faults)


def split_up(total: Money, splits: Sequence[Split]) -> list[tuple[PayoutAccountId | None, Decimal]]:
    """What of a total goes to each account; None: the payee's own. The sum is the total exactly.

    Fixed amounts come first, in their order, as far as the total goes; then percentages of the
    total, rounded down to what can be paid. What is left is the payee's.
    """
    left = total.amount
    shares: dict[PayoutAccountId, Decimal] = {}
    for split in sorted(splits, key=lambda one: one.amount is None):
        if split.amount is not None:
            share = min(split.amount, left)
        else:
            share = min(_percentage(total, split.percentage or Decimal(0)), left)
        shares[split.payout_account_id] = share
        left = EXACT.subtract(left, share)
    made: list[tuple[PayoutAccountId | None, Decimal]] = [(None, left)]
    made += [(one.payout_account_id, shares[one.payout_account_id]) for one in splits]
    return [(account_id, share) for account_id, share in made if share]


def _percentage(total: Money, percentage: Decimal) -> Decimal:
    exact = ROUNDING.divide(ROUNDING.multiply(total.amount, percentage), _ALL)
    step = Decimal(1).scaleb(-minor_unit_places(total.currency))
    return round_amount(exact.quantize(step, rounding=ROUND_DOWN, context=ROUNDING))
