"""Use cases of test mode: reading and advancing the test clock, and clearing test data."""

from datetime import datetime

from msgspec.structs import replace

from monigo import audit
from monigo.core.errors import DomainError, ErrorKind, invalid
from monigo.core.times import format_instant
from monigo.infra import agenda, outbox
from monigo.infra.db import Transaction
from monigo.test_mode import store
from monigo.test_mode.clock import AHEAD_MAX, LEFT_BEHIND_AFTER, TEST_CLOCK
from monigo.test_mode.rules import already_advancing, live_refused, status_of
from monigo.test_mode.types import ClockReading, ClockStatus, SetClock, TestModeState


async def read_test_clock(tx: Transaction) -> ClockReading:
    """Test time, which is real where no clock is set. Raises forbidden in live mode."""
    _refuse_live(tx)
    clock = await store.load(tx)
    if clock is None:
        return ClockReading(tx.now, ClockStatus.READY, "")
    return ClockReading(clock.now, status_of(clock), clock.failure)


async def start_advance(tx: Transaction, to: datetime | None) -> datetime:
    """Send the clock to a later instant; `advance` takes it there once this is committed.

    Raises:
        DomainError: invalid, naming `to`; conflict, while it is on its way; forbidden in live mode.
    """
    _refuse_live(tx)
    clock = await store.load(tx)
    if clock is not None and clock.target is not None:
        raise already_advancing()
    if to is None:
        raise invalid({"to": "is required"})
    if to <= tx.now:
        raise invalid({"to": f"must be after the clock's now, {format_instant(tx.now)}"})
    if to > tx.real_now + AHEAD_MAX:
        raise invalid({"to": "must be at most ten years ahead of real time"})
    if not await store.start(tx, to):
        raise already_advancing()
    tx.changed(_state(tx, clock), TestModeState(tx.now, to, tx.resets))
    await agenda.put(tx, TEST_CLOCK, {tx.org_id: tx.real_now + LEFT_BEHIND_AFTER})
    return to


async def reset_test_data(tx: Transaction) -> None:
    """Delete all that the organisation's test mode holds; its keys and its clock stay.

    Waits for the test transactions that are under way, while further ones wait for this one, so
    that nothing of the old data comes back. Jobs under way find their work gone, and end.

    Raises:
        DomainError: forbidden in live mode; unavailable, while another reset is running.
    """
    clock = await _clear(tx)
    tx.changed(_state(tx, clock), replace(_state(tx, clock), resets=tx.resets + 1))


async def unset_test_clock(tx: Transaction) -> ClockReading:
    """Return to real time, wherever the clock was or was going, and clear the test data.

    What happened in a future that no longer comes could only be misunderstood.

    Raises:
        DomainError: as `reset_test_data`.
    """
    clock = await _clear(tx)
    await store.unset(tx)
    tx.changed(_state(tx, clock), TestModeState(None, None, tx.resets + 1))
    return ClockReading(tx.real_now, ClockStatus.READY, "")


async def _clear(tx: Transaction) -> SetClock | None:
    """Delete the test data; the clock that is set. The audit log keeps what was written before."""
    _refuse_live(tx)
    if not await store.lock_alone(tx):
        raise DomainError(
            ErrorKind.UNAVAILABLE, "reset_running", "a reset is running", retry_after_seconds=1
        )
    await outbox.catch_up(tx, audit.CHAIN)
    await store.clear(tx)
    return await store.load(tx)


def _state(tx: Transaction, clock: SetClock | None) -> TestModeState:
    if clock is None:
        return TestModeState(None, None, tx.resets)
    return TestModeState(clock.now, clock.target, tx.resets)


def _refuse_live(tx: Transaction) -> None:
    """Raise forbidden in live mode, whose time is real and whose data stays."""
    if not tx.is_test:
        raise live_refused()
