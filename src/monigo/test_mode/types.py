"""Test time: a clock that was set, and how merchants read it."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class ClockStatus(StrEnum):
    """Whether test time stands still, is on its way, or stopped before it got there."""

    READY = "ready"
    ADVANCING = "advancing"
    FAILED = "failed"


class SetClock(Struct, frozen=True):
    """A test clock that was set. `steps` counts what was run at its present instant."""

    now: datetime
    target: datetime | None
    steps: int
    failure: str
    updated_at: datetime


class TestModeState(Struct, frozen=True):
    """Test mode as a merchant may change it.

    Time is real where there is no `now`; `to` is where the clock is on its way, `resets` how often
    the test data was cleared.
    """

    now: datetime | None
    to: datetime | None
    resets: int


class ClockReading(Struct, frozen=True):
    """A test clock as merchants see it; `failure` is why it stopped before its target."""

    now: datetime
    status: ClockStatus
    failure: str
