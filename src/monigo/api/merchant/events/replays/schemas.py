"""Replays on the wire."""

from typing import Annotated, Self

from msgspec import Meta
from pydantic import Field

from monigo.api.kernel.wire.incoming import Incoming, InstantIn, Name
from monigo.api.kernel.wire.outgoing import FreeForm, Instant, ListEnvelope, Outgoing
from monigo.core.errors import invalid
from monigo.core.ids import MetricId, OrganizationId, ReplayJobId
from monigo.infra import json
from monigo.infra.db import Transaction
from monigo.metering import ReplayJob, ReplayRequest, ReplayStatus

# Written by a dry run; its amounts and quantities are texts.
ReportOut = FreeForm


class ReplayIn(Incoming):
    """Which events to replay. `dry_run` changes nothing and reports what would change."""

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


class ReplayJobOut(Outgoing, frozen=True):
    """A replay. `report` is a dry run's result, for keys that may read."""

    id: ReplayJobId
    org_id: OrganizationId
    initiated_by: Annotated[str, Meta(examples=["api_key:0197b3c0-0000-7000-8000-000000000000"])]
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
            report=json.exact_floats(job.report) if with_report else None,
            error_message=job.error_message,
            started_at=job.started_at,
            completed_at=job.completed_at,
            created_at=job.created_at,
            updated_at=job.updated_at,
        )


class ReplayEnvelope(Outgoing, frozen=True):
    """One replay."""

    job: ReplayJobOut


class ReplayList(ListEnvelope, frozen=True):
    """Replays, newest first; without their reports."""

    jobs: list[ReplayJobOut]
