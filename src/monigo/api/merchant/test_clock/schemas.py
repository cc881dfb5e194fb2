"""The test clock on the wire."""

from typing import Self

from pydantic import Field

from monigo.api.kernel.wire.fields import Incoming, Instant, InstantIn, Outgoing
from monigo.test_mode import ClockReading, ClockStatus


class AdvanceIn(Incoming):
    """Where the test clock is to go."""

    to: InstantIn = Field(examples=["2027-02-01T00:00:00Z"])


class TestClockOut(Outgoing):
    """Test time. A clock that failed stands where something went wrong; advancing tries again."""

    now: Instant
    status: ClockStatus
    failure: str = Field(description="why the clock failed; empty otherwise")

    @classmethod
    def of(cls, reading: ClockReading) -> Self:
        """The wire form."""
        return cls.model_validate(reading)
