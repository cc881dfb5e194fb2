"""Routes of the test clock: test time that the merchant moves."""

import asyncio
from datetime import datetime

from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response

from monigo import test_mode
from monigo.api.kernel.http.errors import plain_error
from monigo.api.kernel.routes.declarations import Outside, atomic, staged
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.outgoing import Answer
from monigo.api.merchant.test_clock.schemas import TEST_MODE, AdvanceIn, TestClockOut
from monigo.bootstrap import Services
from monigo.core.access import Permission, system
from monigo.infra.db import Tenant, Transaction
from monigo.infra.logging import logger
from monigo.test_mode import ClockStatus

log = logger(__name__)

# How long a client is kept waiting for the clock to arrive.
WAIT_SECONDS = 10

router = APIRouter(route_class=TenantRoute, tags=["test mode"])


class AdvanceIntent(Struct, frozen=True):
    """A clock was sent on its way; this is where it goes."""

    to: datetime


class AdvancingClocks:
    """The clocks that this process takes to their targets."""

    def __init__(self, services: Services) -> None:
        self._database = services.database.acting_as(system("test_clock"))
        self._services = services
        # The loop itself keeps only weak references to its tasks.
        self._tasks: set[asyncio.Task[None]] = set()

    async def advance(self, tenant: Tenant, *, wait_seconds: float) -> None:
        """Set a clock going that was sent on its way; return when it stands, or by then."""
        task = asyncio.create_task(self._advance(tenant))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.wait({task}, timeout=wait_seconds)

    async def _advance(self, tenant: Tenant) -> None:
        try:
            await test_mode.advance(self._database, tenant, self._services.clock_tasks)
        except Exception:
            # The worker takes it on; nobody waits for this task.
            log.exception("test clock left behind", org_id=str(tenant.org_id))


@router.get("/test-clock")
@atomic(Permission.TEST_CLOCK_READ)
async def get_test_clock(tx: Tx) -> TestClockOut:
    """Read test time, which is real until the clock is first advanced."""
    return TestClockOut.of(await test_mode.read_test_clock(tx))


async def _go(outside: Outside, _intent: AdvanceIntent) -> None:
    """Wait until the clock stands, but not for longer than a client waits."""
    clocks: AdvancingClocks = outside.request.app.state.clocks
    await clocks.advance(outside.tenant, wait_seconds=WAIT_SECONDS)


async def _arrived(tx: Transaction, _intent: AdvanceIntent, _outcome: None) -> Response:
    """The clock as it is now."""
    reading = await test_mode.read_test_clock(tx)
    if reading.status is ClockStatus.FAILED:
        message = f"the test clock stopped: {reading.failure}"
        return plain_error(500, "test_clock_stopped", message)
    status = 200 if reading.status is ClockStatus.READY else 202
    return Answer(TestClockOut.of(reading), status)


@router.post(
    "/test-clock/advance",
    response_model=TestClockOut,
    responses={202: {"model": TestClockOut, "description": "On its way after ten seconds."}},
)
@staged(Permission.TEST_CLOCK_ADVANCE, changes=TEST_MODE, call=_go, record=_arrived)
async def advance_test_clock(tx: Tx, body: AdvanceIn) -> AdvanceIntent:
    """Move test time forward, and let happen on the way what is due."""
    return AdvanceIntent(await test_mode.start_advance(tx, body.to))
