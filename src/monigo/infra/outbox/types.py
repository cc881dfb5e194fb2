"""Facts that a subscriber has not handled yet, and when failed ones are tried again."""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct


class BackOff(Struct, frozen=True):
    """When a failed fact is tried again: after `first`, then twice as long each time to `most`."""

    first: timedelta = timedelta(seconds=5)
    most: timedelta = timedelta(days=1)

    def pause(self, attempts: int) -> timedelta:
        """How long to wait after so many failures."""
        return min(self.first * 2 ** min(attempts - 1, 32), self.most)


class WaitingFigures(Struct, frozen=True):
    """How many facts wait for a subscriber, and since when the oldest of them."""

    subscriber: str
    waiting: int
    oldest_at: datetime


class Delivery(Struct, frozen=True):
    """A subject's first fact that a subscriber has not handled yet."""

    subject_id: UUID
    position: int
    attempts: int
