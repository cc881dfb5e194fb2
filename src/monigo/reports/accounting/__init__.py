"""Accounting: reports on the books."""

from monigo.reports.accounting.service import receivables_aging, trial_balance
from monigo.reports.accounting.types import (
    AccountBalance,
    CurrencyBalances,
    Debt,
    Side,
    TrialBalance,
)

__all__ = [
    "AccountBalance",
    "CurrencyBalances",
    "Debt",
    "Side",
    "TrialBalance",
    "receivables_aging",
    "trial_balance",
]
