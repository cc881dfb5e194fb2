"""Routes of the test clock: test time that the merchant moves."""

import asyncio
from typing import Self

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.types import Receive, Scope, Send

from monigo import tenancy
from monigo.api.fields import Incoming, Instant, InstantIn, Outgoing
from monigo.api.idempotency import Attempt
from monigo.api.routing import Caller, TenantRoute, Tx
from monigo.bootstrap import CLOCK_TASKS, Services
from monigo.infra.database import Tenant
from monigo.infra.logging import logger
from monigo.tenancy import ClockReading, ClockStatus

log = logger(__name__)

# How long a client is kept waiting for the clock to arrive.
WAIT_SECONDS = 10

router = APIRouter(route_class=TenantRoute, tags=["test mode"])


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


class AdvancingClocks:
    """The clocks that this process takes to their targets."""

    def __init__(self, services: Services) -> None:
        self._services = services
        # The loop itself keeps only weak references to its tasks.
        self._tasks: set[asyncio.Task[None]] = set()

    async def advance(self, tenant: Tenant, *, wait_seconds: float) -> ClockReading:
        """Set a clock going that was sent on its way; where it is when it arrives, or by then."""
        task = asyncio.create_task(self._advance(tenant))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.wait({task}, timeout=wait_seconds)
        async with self._services.database.transaction(tenant) as tx:
            return await tenancy.read_test_clock(tx)

    async def _advance(self, tenant: Tenant) -> None:
        try:
            await tenancy.advance(self._services.database, tenant, CLOCK_TASKS)
        except Exception:
            # The worker takes it on; nobody waits for this task.
            log.exception("test clock left behind", org_id=str(tenant.org_id))


class AdvanceResponse(JSONResponse):
    """Is sent when the clock has arrived, or after ten seconds.

    Only once the route's transaction has committed can anybody move the clock, and that is when a
    response is called. An Idempotency-Key's record says 202 until then, and 200 from then on.
    """

    def __init__(self, request: Request, tenant: Tenant, accepted: ClockReading) -> None:
        super().__init__(TestClockOut.of(accepted).model_dump(mode="json"), 202)
        self._request = request
        self._tenant = tenant

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, then answer."""
        clocks: AdvancingClocks = self._request.app.state.clocks
        try:
            reading = await clocks.advance(self._tenant, wait_seconds=WAIT_SECONDS)
            if reading.status is not ClockStatus.ADVANCING:
                await self._finish(reading)
        except Exception:
            # The clock is on its way, as the answer says, whatever this was.
            log.exception("test clock not read", org_id=str(self._tenant.org_id))
        await super().__call__(scope, receive, send)

    async def _finish(self, reading: ClockReading) -> None:
        done = reading.status is ClockStatus.READY
        self.status_code = 200 if done else 500
        content = TestClockOut.of(reading).model_dump(mode="json")
        if not done:
            message = f"the test clock stopped: {reading.failure}"
            content = {"error": message, "code": "test_clock_stopped"}
        self.body = self.render(content)
        self.headers["content-length"] = str(len(self.body))
        attempt: Attempt | None = self._request.state.attempt
        if attempt is not None and done:
            services: Services = self._request.app.state.services
            async with services.database.transaction(self._tenant) as tx:
                await attempt.record(tx, self)


@router.get("/test-clock")
async def get_test_clock(tx: Tx) -> TestClockOut:
    """Read test time, which is real until the clock is first advanced."""
    return TestClockOut.of(await tenancy.read_test_clock(tx))


@router.post(
    "/test-clock/advance",
    response_model=TestClockOut,
    responses={202: {"model": TestClockOut, "description": "On its way after ten seconds."}},
)
async def advance_test_clock(
    request: Request, tx: Tx, caller: Caller, body: AdvanceIn
) -> AdvanceResponse:
    """Move test time forward, and let happen on the way what is due."""
    accepted = await tenancy.start_advance(tx, body.to)
    return AdvanceResponse(request, caller.tenant, accepted)
