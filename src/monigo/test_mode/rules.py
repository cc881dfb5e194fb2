"""Pure rules of test mode."""

from monigo.core.errors import DomainError, ErrorKind, conflict
from monigo.test_mode.types import ClockStatus, SetClock


def status_of(clock: SetClock) -> ClockStatus:
    """Where a clock that was set stands."""
    if clock.target is not None:
        return ClockStatus.ADVANCING
    return ClockStatus.FAILED if clock.failure else ClockStatus.READY


def live_refused() -> DomainError:
    """The answer in live mode, whose time is real and whose data stays."""
    return DomainError(
        ErrorKind.FORBIDDEN, "test_mode_only", "this is for test mode: use a test key"
    )


def already_advancing() -> DomainError:
    """The answer while the clock is being advanced."""
    return conflict("clock_advancing", "the test clock is on its way already")
