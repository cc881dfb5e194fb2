"""The dashboard: the figures of the start page, and what needs a person."""

from monigo.reports.dashboard.declines import LOOK_FOR_DECLINES, find_declines
from monigo.reports.dashboard.service import dashboard, waiting_for_person
from monigo.reports.dashboard.types import (
    Amounts,
    Dashboard,
    Figures,
    Need,
    NeedKind,
    NeedsPerson,
)

__all__ = [
    "LOOK_FOR_DECLINES",
    "Amounts",
    "Dashboard",
    "Figures",
    "Need",
    "NeedKind",
    "NeedsPerson",
    "dashboard",
    "find_declines",
    "waiting_for_person",
]
