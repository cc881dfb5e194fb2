"""What was set aside on the wire."""

from typing import Self
from uuid import UUID

from pydantic import Field

from monigo.api.kernel.wire.fields import Instant, ListEnvelope, Outgoing
from monigo.infra.agenda import SetAside


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
