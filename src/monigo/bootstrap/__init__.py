"""Chooses implementations and puts the parts together; the only place that does."""

from monigo.bootstrap.registry import REGISTRY
from monigo.bootstrap.services import (
    CREDIT_EXPIRY,
    RESERVATION_EXPIRY,
    SLICES_AT_ONCE,
    TEST_CLOCK_WORK,
    Services,
    open_services,
)

__all__ = [
    "CREDIT_EXPIRY",
    "REGISTRY",
    "RESERVATION_EXPIRY",
    "SLICES_AT_ONCE",
    "TEST_CLOCK_WORK",
    "Services",
    "open_services",
]
