"""Routes of replays: usage is rebuilt from stored events under the present metrics."""

from fastapi import APIRouter

from monigo import metering
from monigo.api.kernel.changes import Changes
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.events.replays.schemas import (
    ReplayEnvelope,
    ReplayIn,
    ReplayJobOut,
    ReplayList,
)
from monigo.core.access import Permission
from monigo.metering import ReplayJob

router = APIRouter(route_class=TenantRoute, tags=["replay"])

REPLAY = Changes("replay", ReplayJob, lambda tx, job: ReplayJobOut.of(tx, job, with_report=False))


@router.post("/events/replay", status_code=202)
@atomic(Permission.REPLAYS_START, changes=REPLAY)
async def start_replay(tx: Tx, body: ReplayIn) -> ReplayEnvelope:
    """Rebuild the usage of a window from its events, by whole hours, under the present metrics."""
    job = await metering.start_replay(tx, body.request(), initiated_by=str(tx.principal))
    return ReplayEnvelope(job=ReplayJobOut.of(tx, job, with_report=False))


@router.get("/events/replay", response_model=ReplayList)
@atomic(Permission.REPLAYS_READ)
async def list_replays(tx: Tx, paging: Paging) -> ListResponse:
    """List replays, newest first; those of new metric definitions, too."""
    page = await metering.list_replays(tx, paging)
    return ListResponse("jobs", page, lambda job: ReplayJobOut.of(tx, job, with_report=False))


@router.get("/events/replay/{job_id}")
@atomic(Permission.REPLAYS_READ)
async def get_replay(tx: Tx, job_id: Id) -> ReplayEnvelope:
    """Read a replay's state; a dry run's report with the scope `read` only."""
    job = await metering.get_replay(tx, job_id)
    may_read = tx.principal.may(Permission.USAGE_READ)
    return ReplayEnvelope(job=ReplayJobOut.of(tx, job, with_report=may_read))


@router.post("/events/replay/{job_id}/cancel")
@atomic(Permission.REPLAYS_CANCEL, changes=REPLAY)
async def cancel_replay(tx: Tx, job_id: Id) -> ReplayEnvelope:
    """Stop a replay. Usage rebuilt so far stays; all sums are right either way."""
    job = await metering.cancel_replay(tx, job_id)
    return ReplayEnvelope(job=ReplayJobOut.of(tx, job, with_report=False))
