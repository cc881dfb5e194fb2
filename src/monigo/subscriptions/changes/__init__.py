"""Changes of plan, and how subscriptions end."""

from monigo.subscriptions.changes.endings import cancel, hide, schedule_cancel
from monigo.subscriptions.changes.plan_changes import (
    apply_plan_change,
    as_after_plan_change,
    change_plan,
    schedule_plan_change,
)

__all__ = [
    "apply_plan_change",
    "as_after_plan_change",
    "cancel",
    "change_plan",
    "hide",
    "schedule_cancel",
    "schedule_plan_change",
]
