"""Reports: what is summed over the domains below, and what waits for a person."""

from monigo.reports import accounting, dashboard, digests, onboarding
from monigo.reports.accounting import CurrencyBalances, Debt, Side, TrialBalance
from monigo.reports.dashboard import Amounts, Dashboard, Figures, Need, NeedKind, NeedsPerson
from monigo.reports.onboarding import Progress, Step, StepProgress, StepsTaken

__all__ = [
    "Amounts",
    "CurrencyBalances",
    "Dashboard",
    "Debt",
    "Figures",
    "Need",
    "NeedKind",
    "NeedsPerson",
    "Progress",
    "Side",
    "Step",
    "StepProgress",
    "StepsTaken",
    "TrialBalance",
    "accounting",
    "dashboard",
    "digests",
    "onboarding",
]
