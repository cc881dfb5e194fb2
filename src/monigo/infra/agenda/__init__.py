"""The agenda: due work of every kind and tenant, and the runner that does it."""

from monigo.infra.agenda.runner import run_due_work
from monigo.infra.agenda.service import (
    TRANSACTION_MAX,
    cancel,
    clock_tasks,
    due_of,
    figures,
    follow_clock,
    list_set_aside,
    next_due,
    put,
    put_for_span,
    put_unless_there,
    tenants_with_set_aside,
    verify,
)
from monigo.infra.agenda.types import (
    BackOff,
    Claim,
    ClaimLostError,
    Entry,
    Follows,
    Kind,
    SetAside,
    Slices,
    Steps,
    Task,
)
from monigo.infra.agenda.work import work_off

__all__ = [
    "TRANSACTION_MAX",
    "BackOff",
    "Claim",
    "ClaimLostError",
    "Entry",
    "Follows",
    "Kind",
    "SetAside",
    "Slices",
    "Steps",
    "Task",
    "cancel",
    "clock_tasks",
    "due_of",
    "figures",
    "follow_clock",
    "list_set_aside",
    "next_due",
    "put",
    "put_for_span",
    "put_unless_there",
    "run_due_work",
    "tenants_with_set_aside",
    "verify",
    "work_off",
]
