"""What was set aside on the wire."""

from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta

from monigo.api.kernel.wire.outgoing import Instant, ListEnvelope, Outgoing
from monigo.infra.agenda import SetAside


class SetAsideOut(Outgoing, frozen=True):
    """Work that failed. It stops no other, and is tried again ever later."""

    kind: Annotated[str, Meta(examples=["period_close"])]
    subject_id: Annotated[
        UUID, Meta(description="what it is about: for period_close a subscription")
    ]
    reason: str
    attempts: int
    next_attempt_at: Annotated[
        Instant | None, Meta(description="null: when what it is about changes")
    ]

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


class SetAsideList(ListEnvelope, frozen=True):
    """What was set aside, by kind."""

    set_aside: list[SetAsideOut]
