"""Routes of replays: stored events counted anew under today's metrics."""

from typing import Annotated, Any, Self

from fastapi import APIRouter
from pydantic import Field, PlainSerializer, WithJsonSchema

from monigo import metering
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.fields import (
    Id,
    Incoming,
    Instant,
    InstantIn,
    ListEnvelope,
    Name,
    Outgoing,
)
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.paging import Paging
from monigo.core.errors import invalid
from monigo.core.ids import MetricId, OrganizationId, ReplayJobId
from monigo.core.permissions import Permission
from monigo.infra import json
from monigo.infra.db import Transaction
from monigo.metering import ReplayJob, ReplayRequest, ReplayStatus

router = APIRouter(route_class=TenantRoute, tags=["replay"])

# Written by a dry run; its amounts and quantities are texts.
ReportOut = Annotated[
    Any, PlainSerializer(json.exact_floats, return_type=Any), WithJsonSchema({"type": "object"})
]


class ReplayIn(Incoming):
    """Which events to count anew. `dry_run` changes nothing and reports what would change."""

    start: InstantIn = Field(alias="from", examples=["2026-10-01T00:00:00Z"])
    end: InstantIn = Field(alias="to", examples=["2026-11-01T00:00:00Z"])
    event_name: Name | None = Field(
        default=None, description="unset: events of every name", examples=["api_call"]
    )
    dry_run: bool | None = None

    def request(self) -> ReplayRequest:
        """What the client asks for.

        Raises:
            DomainError: invalid, without both bounds.
        """
        faults = {
            name: "is required"
            for name, value in (("from", self.start), ("to", self.end))
            if value is None
        }
        if self.start is None or self.end is None:
            raise invalid(faults)
        return ReplayRequest(self.start, self.end, self.event_name or "", self.dry_run or False)


class ReplayJobOut(Outgoing):
    """A replay. `report` is a dry run's result, for keys that may read."""

    id: ReplayJobId
    org_id: OrganizationId
    initiated_by: str = Field(examples=["api_key:0197b3c0-0000-7000-8000-000000000000"])
    status: ReplayStatus
    from_timestamp: Instant
    to_timestamp: Instant
    event_name: str
    metric_id: MetricId | None
    dry_run: bool
    is_test: bool
    events_total: int
    events_replayed: int
    report: ReportOut | None
    error_message: str
    started_at: Instant | None
    completed_at: Instant | None
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, tx: Transaction, job: ReplayJob, *, with_report: bool) -> Self:
        """The wire form."""
        request = job.request
        return cls(
            id=job.id,
            org_id=tx.org_id,
            initiated_by=job.initiated_by,
            status=job.status,
            from_timestamp=request.start,
            to_timestamp=request.end,
            event_name=request.event_name,
            metric_id=job.metric_id,
            dry_run=request.dry_run,
            is_test=tx.is_test,
            events_total=job.events_total,
            events_replayed=job.events_replayed,
            report=job.report if with_report else None,
            error_message=job.error_message,
            started_at=job.started_at,
            completed_at=job.completed_at,
            created_at=job.created_at,
            updated_at=job.updated_at,
        )


class ReplayEnvelope(Outgoing):
    """One replay."""

    job: ReplayJobOut


class ReplayList(ListEnvelope):
    """Replays, newest first; without their reports."""

    jobs: list[ReplayJobOut]


@router.post("/events/replay", status_code=202)
@atomic(Permission.REPLAYS_START)
async def start_replay(tx: Tx, body: ReplayIn) -> ReplayEnvelope:
    """Count the events of a window anew, by whole hours, under today's metrics."""
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
@atomic(Permission.REPLAYS_CANCEL)
async def cancel_replay(tx: Tx, job_id: Id) -> ReplayEnvelope:
    """Stop a replay. What is counted anew already stays so; all sums are right either way."""
    job = await metering.cancel_replay(tx, job_id)
    return ReplayEnvelope(job=ReplayJobOut.of(tx, job, with_report=False))
