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

    @property
    def ahead(self):
        """How far from the machine's clock, for other processes that are to have the same time."""
        return self._start + self._moved

    def now(self):
        return datetime.now(UTC) + self.ahead

    def advance(self, **duration):
        self._moved += timedelta(**duration)

    def reset(self):
        self._moved = timedelta()
