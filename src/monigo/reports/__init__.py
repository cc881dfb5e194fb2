"""Reports: what is summed over the domains below, and what waits for a person."""

from monigo.reports import dashboard, onboarding
from monigo.reports.dashboard import Amounts, Dashboard, Figures, Need, NeedKind, NeedsPerson
from monigo.reports.onboarding import Progress, Step, StepProgress, StepsTaken

__all__ = [
    "Amounts",
    "Dashboard",
    "Figures",
    "Need",
    "NeedKind",
    "NeedsPerson",
    "Progress",
    "Step",
    "StepProgress",
    "StepsTaken",
    "dashboard",
    "onboarding",
]
