"""Test mode: a clock that stands still until it is advanced, and data that can be cleared."""

from monigo.test_mode.clock import advance, advance_some
from monigo.test_mode.service import (
    read_test_clock,
    reset_test_data,
    start_advance,
    unset_test_clock,
)
from monigo.test_mode.tasks import keep_clocks
from monigo.test_mode.types import ClockReading, ClockStatus, TestModeState
from monigo.test_mode.verification import verify

__all__ = [
    "ClockReading",
    "ClockStatus",
    "TestModeState",
    "advance",
    "advance_some",
    "keep_clocks",
    "read_test_clock",
    "reset_test_data",
    "start_advance",
    "unset_test_clock",
    "verify",
]
