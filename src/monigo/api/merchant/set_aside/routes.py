"""Routes of due work that failed and was set aside."""

from typing import Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.fields import Instant, ListEnvelope, Outgoing
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.paging import Paging
from monigo.core.permissions import Permission
from monigo.infra import agenda
from monigo.infra.agenda import SetAside

router = APIRouter(route_class=TenantRoute, tags=["set aside"])


class SetAsideOut(Outgoing):
    """Work that failed. It stops no other, and is tried again ever later."""

    kind: str = Field(examples=["period_close"])
    subject_id: UUID = Field(description="what it is about: for period_close a subscription")
    reason: str
    attempts: int
    next_attempt_at: Instant | None = Field(description="null: when what it is about changes")

    @classmethod
    def of(cls, item: SetAside) -> Self:
        """The wire form."""
        return cls(
            kind=item.kind,
            subject_id=item.subject,
            reason=item.reason,
            attempts=item.attempts,
            next_attempt_at=item.due_at,
        )


class SetAsideList(ListEnvelope):
    """What was set aside, by kind."""

    set_aside: list[SetAsideOut]


@router.get("/set-aside", response_model=SetAsideList)
@atomic(Permission.SET_ASIDE_READ)
async def list_set_aside(tx: Tx, paging: Paging) -> ListResponse:
    """List due work that failed, with the reasons."""
    page = await agenda.list_set_aside(tx, paging)
    return ListResponse("set_aside", page, SetAsideOut.of)
