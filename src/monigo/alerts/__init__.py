"""Alerts: thresholds of usage, cost and balances, each reached once."""

from monigo.alerts import events
from monigo.alerts.due import note_metrics, note_subscriptions
from monigo.alerts.service import (
    acknowledge,
    acknowledge_state,
    create,
    delete,
    enable,
    get,
    list_page,
    list_states,
    set_thresholds,
    summarize,
)
from monigo.alerts.tasks import CLOCK_TASKS, TASKS
from monigo.alerts.types import (
    Alert,
    AlertFilter,
    AlertScope,
    AlertState,
    AlertStatus,
    AlertType,
    NewAlert,
    StateFilter,
    StateStatus,
    Summary,
    Threshold,
    amount_text,
)

__all__ = [
    "CLOCK_TASKS",
    "TASKS",
    "Alert",
    "AlertFilter",
    "AlertScope",
    "AlertState",
    "AlertStatus",
    "AlertType",
    "NewAlert",
    "StateFilter",
    "StateStatus",
    "Summary",
    "Threshold",
    "acknowledge",
    "acknowledge_state",
    "amount_text",
    "create",
    "delete",
    "enable",
    "events",
    "get",
    "list_page",
    "list_states",
    "note_metrics",
    "note_subscriptions",
    "set_thresholds",
    "summarize",
]
