"""The first steps of an organisation."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class Step(StrEnum):
    """A first step, in the order in which they are shown."""

    CUSTOMER = "customer"
    METRIC = "metric"
    PLAN = "plan"
    SUBSCRIPTION = "subscription"
    EVENT = "event"
    INVOICE = "invoice"
    CONNECTION = "connection"
    WEBHOOK = "webhook"
    LIVE_KEY = "live_key"


class StepsTaken(Struct, frozen=True):
    """The question which of the open steps the transaction's tenant has done.

    Sources answer with steps; it is asked in each mode.
    """

    open_steps: frozenset[Step]


class StepProgress(Struct, frozen=True):
    """A step, when it was done (None: not yet), and whether somebody said so."""

    step: Step
    completed_at: datetime | None
    is_by_hand: bool


class Progress(Struct, frozen=True):
    """All steps, in their order."""

    steps: tuple[StepProgress, ...]

    @property
    def completed(self) -> int:
        """How many are done."""
        return sum(one.completed_at is not None for one in self.steps)
