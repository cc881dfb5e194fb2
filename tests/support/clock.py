"""A clock that a test can move."""

from datetime import UTC, datetime, timedelta


class AdjustableClock:
    """Runs as the machine's clock does, some time ahead of it or behind."""

    def __init__(self):
        self._offset = timedelta()

    def now(self):
        return datetime.now(UTC) + self._offset

    def advance(self, **duration):
        self._offset += timedelta(**duration)

    def reset(self):
        self._offset = timedelta()
