"""Pure rules of the reports on the books: an account's side of zero, and sums by currency."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import reduce
from itertools import groupby

from monigo.core.money import EXACT
from monigo.ledger import AccountKind, Total
from monigo.reports.accounting.types import AccountBalance, CurrencyBalances, Side, TrialBalance

SIDES = {
    **dict.fromkeys((AccountKind.PROVIDER, AccountKind.REVENUE), Side.EITHER),
    AccountKind.CUSTOMER_WALLET: Side.NEVER_NEGATIVE,
    AccountKind.RESERVED: Side.NEVER_NEGATIVE,
    AccountKind.CREDIT_GRANT: Side.NEVER_NEGATIVE,
    AccountKind.TAX_PAYABLE: Side.NEVER_NEGATIVE,
    AccountKind.PAYABLE: Side.NEVER_NEGATIVE,
    AccountKind.PAYOUTS_IN_FLIGHT: Side.NEVER_NEGATIVE,
    AccountKind.WITHHOLDING_PAYABLE: Side.NEVER_NEGATIVE,
    AccountKind.RECEIVABLE: Side.NEVER_POSITIVE,
    AccountKind.EXTERNAL: Side.NEVER_POSITIVE,
    AccountKind.PROVIDER_FEES: Side.NEVER_POSITIVE,
    AccountKind.BAD_DEBT: Side.NEVER_POSITIVE,
    AccountKind.DISPUTE_LOSSES: Side.NEVER_POSITIVE,
    AccountKind.PAYOUT_EXPENSE: Side.NEVER_POSITIVE,
}


def trial_balance(totals: Sequence[Total], at: datetime) -> TrialBalance:
    """The accounts by currency, in the order in which their kinds are defined."""
    order = list(AccountKind)
    ordered = sorted(totals, key=lambda one: (one.currency, order.index(one.kind)))
    return TrialBalance(
        at,
        [
            _of_currency(currency, list(group))
            for currency, group in groupby(ordered, key=lambda one: one.currency)
        ],
    )


def _of_currency(currency: str, totals: Sequence[Total]) -> CurrencyBalances:
    return CurrencyBalances(
        currency,
        [AccountBalance(one.kind, SIDES[one.kind], one.balance) for one in totals],
        reduce(EXACT.add, (one.balance for one in totals), Decimal(0)),
    )
