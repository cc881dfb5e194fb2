"""A clock that a test can move."""

from datetime import UTC, datetime, timedelta

# Each test run begins here, whatever the machine's date: before the days of 2027 to which tests
# send the test clock, and in the middle of a day and a month.
STARTS_AT = datetime(2026, 6, 16, 12, tzinfo=UTC)


class AdjustableClock:
    """Runs as fast as the machine's clock does: on from STARTS_AT, or so much ahead of it."""

    def __init__(self, ahead=None):
        self._start = STARTS_AT - datetime.now(UTC) if ahead is None else ahead
        self._moved = timedelta()
        self._still = None

    @property
    def ahead(self):
        """How far from the machine's clock, for other processes that are to have the same time."""
        return self._start + self._moved

    def now(self):
        return self._still or datetime.now(UTC) + self.ahead

    def advance(self, **duration):
        self._moved += timedelta(**duration)
        if self._still is not None:
            self._still += timedelta(**duration)

    def stand_still(self):
        """Show one instant until it is advanced, however long a test takes; that instant."""
        self._still = self.now()
        return self._still

    def reset(self):
        self._moved = timedelta()
        self._still = None
