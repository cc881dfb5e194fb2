"""Chooses implementations and puts the parts together; the only place that does."""

from monigo.bootstrap.registry import REGISTRY
from monigo.bootstrap.services import (
    CLOCK_TASKS,
    LONG_JOBS,
    SLICES_AT_ONCE,
    TASKS,
    Services,
    bring_up_to_date,
    open_services,
)

__all__ = [
    "CLOCK_TASKS",
    "LONG_JOBS",
    "REGISTRY",
    "SLICES_AT_ONCE",
    "TASKS",
    "Services",
    "bring_up_to_date",
    "open_services",
]
