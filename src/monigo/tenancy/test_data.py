"""Clearing test data: an organisation's test mode begins anew, its live mode untouched."""

from monigo.core.errors import DomainError, ErrorKind
from monigo.infra.db import Transaction
from monigo.tenancy import test_clock_store as store
from monigo.tenancy.test_clock import refuse_live
from monigo.tenancy.types import ClockReading, ClockStatus


async def reset_test_data(tx: Transaction) -> None:
    """Delete all that the organisation's test mode holds; its keys and its clock stay.

    Waits for the test transactions that are under way, while further ones wait for this one, so
    that nothing of the old data comes back. Jobs under way find their work gone, and end.

    Raises:
        DomainError: forbidden in live mode; unavailable, while another reset is running.
    """
    refuse_live(tx)
    if not await store.hold_alone(tx):
        raise DomainError(
            ErrorKind.UNAVAILABLE, "reset_running", "a reset is running", retry_after_seconds=1
        )
    await store.clear(tx)


async def unset_test_clock(tx: Transaction) -> ClockReading:
    """Return to real time, wherever the clock was or was going, and clear the test data.

    What happened in a future that no longer comes could only be misunderstood.

    Raises:
        DomainError: as `reset_test_data`.
    """
    await reset_test_data(tx)
    await store.unset(tx)
    return ClockReading(tx.real_now, ClockStatus.READY, "")
