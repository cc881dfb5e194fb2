"""A clock that a test can move."""

from datetime import UTC, datetime, timedelta

# Each test run begins here, whatever the machine's date: before the days of 2027 to which tests
# send the test clock, and in the middle of a day and a month.
STARTS_AT = datetime(2026, 6, 16, 12, tzinfo=UTC)


class AdjustableClock:
    """Runs on from a fixed instant as fast as the machine's clock does."""

    def __init__(self):
        self._behind = STARTS_AT - datetime.now(UTC)
        self._offset = timedelta()

    def now(self):
        return datetime.now(UTC) + self._behind + self._offset

    def advance(self, **duration):
        self._offset += timedelta(**duration)

    def reset(self):
        self._offset = timedelta()
