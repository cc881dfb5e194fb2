"""Onboarding: the first steps of an organisation, and which of them are done."""

from monigo.reports.onboarding.service import complete, progress, steps_taken
from monigo.reports.onboarding.types import Progress, Step, StepProgress, StepsTaken

__all__ = [
    "Progress",
    "Step",
    "StepProgress",
    "StepsTaken",
    "complete",
    "progress",
    "steps_taken",
]
