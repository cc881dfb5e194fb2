"""The test clock on the wire."""

from typing import Annotated, Self

from msgspec import Meta
from pydantic import Field

from monigo.api.kernel.changes import Changes
from monigo.api.kernel.wire.incoming import Incoming, InstantIn
from monigo.api.kernel.wire.outgoing import Instant, Outgoing
from monigo.test_mode import ClockReading, ClockStatus, TestModeState

TEST_MODE = Changes(
    "test_mode", TestModeState, lambda _tx, state: state, lambda tx, _state: tx.org_id
)


class AdvanceIn(Incoming):
    """Where the test clock is to go."""

    to: InstantIn = Field(examples=["2027-02-01T00:00:00Z"])


class TestClockOut(Outgoing, frozen=True):
    """Test time. A clock that failed stands where something went wrong; advancing tries again."""

    now: Instant
    status: ClockStatus
    failure: Annotated[str, Meta(description="why the clock failed; empty otherwise")]

    @classmethod
    def of(cls, reading: ClockReading) -> Self:
        """The wire form."""
        return cls(now=reading.now, status=reading.status, failure=reading.failure)
