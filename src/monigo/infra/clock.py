"""The clock: the only module that reads the time."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Reads the present instant, aware and in UTC."""

    def now(self) -> datetime:
        """The present instant."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant by the machine."""
        return datetime.now(UTC)
