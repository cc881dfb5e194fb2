"""Routes that clear test data."""

from fastapi import APIRouter

from monigo import test_mode
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.outgoing import Message
from monigo.api.merchant.test_clock.schemas import TEST_MODE, TestClockOut
from monigo.core.access import Permission

router = APIRouter(route_class=TenantRoute, tags=["test mode"])


@router.post("/test-data/reset")
@atomic(Permission.TEST_DATA_RESET, changes=TEST_MODE)
async def reset_test_data(tx: Tx) -> Message:
    """Delete everything in test mode but its keys; live data is never touched."""
    await test_mode.reset_test_data(tx)
    return Message(message="the test data is cleared")


@router.delete("/test-clock")
@atomic(Permission.TEST_DATA_RESET, changes=TEST_MODE)
async def unset_test_clock(tx: Tx) -> TestClockOut:
    """Return test time to real time, and delete everything in test mode but its keys."""
    return TestClockOut.of(await test_mode.unset_test_clock(tx))
