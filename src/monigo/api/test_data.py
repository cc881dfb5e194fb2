"""Routes that clear test data."""

from fastapi import APIRouter

from monigo import tenancy
from monigo.api.fields import Message
from monigo.api.kernel.routes import TenantRoute, Tx, requires
from monigo.api.test_clock import TestClockOut
from monigo.tenancy import Scope

router = APIRouter(route_class=TenantRoute, tags=["test mode"])


@router.post("/test-data/reset")
@requires(Scope.ADMIN)
async def reset_test_data(tx: Tx) -> Message:
    """Delete everything in test mode but its keys; live data is never touched."""
    await tenancy.reset_test_data(tx)
    return Message(message="the test data is cleared")


@router.delete("/test-clock")
@requires(Scope.ADMIN)
async def unset_test_clock(tx: Tx) -> TestClockOut:
    """Return test time to real time, and delete everything in test mode but its keys."""
    return TestClockOut.of(await tenancy.unset_test_clock(tx))
