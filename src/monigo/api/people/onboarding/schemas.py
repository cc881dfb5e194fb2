"""First steps on the wire."""

from typing import Annotated, Self

from msgspec import Meta

from monigo.api.kernel.wire.incoming import Id, Incoming
from monigo.api.kernel.wire.outgoing import Instant, Outgoing
from monigo.reports import Progress, Step, StepProgress


class OnboardingStepIn(Incoming):
    """Whose step is done."""

    org_id: Id | None = None


class OnboardingStepOut(Outgoing, frozen=True):
    """A first step. It is done by itself once there is such a thing, or marked by hand."""

    id: Step
    is_completed: bool
    completed_at: Instant | None
    is_by_hand: Annotated[bool, Meta(description="somebody marked it, nothing showed it")]

    @classmethod
    def of(cls, progress: StepProgress) -> Self:
        """The wire form."""
        return cls(
            id=progress.step,
            is_completed=progress.completed_at is not None,
            completed_at=progress.completed_at,
            is_by_hand=progress.is_by_hand,
        )


class ProgressOut(Outgoing, frozen=True):
    """How far an organisation is, in both modes together."""

    steps: list[OnboardingStepOut]
    completed: Annotated[int, Meta(description="how many steps are done")]
    total: int
    is_completed: bool


class ProgressEnvelope(Outgoing, frozen=True):
    """An organisation's progress."""

    progress: ProgressOut

    @classmethod
    def of(cls, progress: Progress) -> Self:
        """The wire form."""
        total = len(progress.steps)
        return cls(
            progress=ProgressOut(
                steps=[OnboardingStepOut.of(one) for one in progress.steps],
                completed=progress.completed,
                total=total,
                is_completed=progress.completed == total,
            )
        )
