"""Saved methods: cards and accounts that a provider lets us charge again."""

from monigo.payments.methods import events
from monigo.payments.methods.expiring import REPORT_EXPIRY
from monigo.payments.methods.service import (
    FORGETTING,
    defaults_of,
    get_method,
    is_connection_used,
    list_methods,
    remove,
    save,
    set_default,
    tokens_of,
)
from monigo.payments.methods.tasks import forgetting_task
from monigo.payments.methods.types import MethodForgetting, MethodType, PaymentMethod

__all__ = [
    "FORGETTING",
    "REPORT_EXPIRY",
    "MethodForgetting",
    "MethodType",
    "PaymentMethod",
    "defaults_of",
    "events",
    "forgetting_task",
    "get_method",
    "is_connection_used",
    "list_methods",
    "remove",
    "save",
    "set_default",
    "tokens_of",
]
