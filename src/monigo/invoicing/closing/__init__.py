"""Closing: ended periods are billed once for all, and subscriptions begin, change and end."""

from monigo.invoicing.closing.life_steps import catch_up
from monigo.invoicing.closing.lifecycle import (
    cancel_subscription,
    change_plan,
    delete_subscription,
    resume_subscription,
    resume_suspended,
    schedule_cancel,
    schedule_plan_change,
    subscribe,
)
from monigo.invoicing.closing.realtime import charge_changed, flag_uncharged
from monigo.invoicing.closing.service import (
    close_due,
    close_now,
    close_period,
    lock_customers,
    make_final,
)

__all__ = [
    "cancel_subscription",
    "catch_up",
    "change_plan",
    "charge_changed",
    "close_due",
    "close_now",
    "close_period",
    "delete_subscription",
    "flag_uncharged",
    "lock_customers",
    "make_final",
    "resume_subscription",
    "resume_suspended",
    "schedule_cancel",
    "schedule_plan_change",
    "subscribe",
]
