"""Reconciliation: where a provider's list and our rows differ."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from monigo.core.ids import ConnectionId, ReconciliationRowId
from monigo.core.money import Money
from monigo.core.paging import Page
from monigo.providers.port import State


class DifferenceKind(StrEnum):
    """In what the two differ."""

    # The provider lists money under a reference of ours that we know nothing of.
    MISSING_HERE = "missing_here"
    # We credited money that the provider does not list.
    MISSING_THERE = "missing_there"
    OTHER_AMOUNT = "other_amount"
    OTHER_STATE = "other_state"


class ListedAs(StrEnum):
    """In which list of the provider's a row is, or would have to be."""

    CHARGE = "charge"
    TRANSFER = "transfer"


class NextStep(StrEnum):
    """What happens by itself."""

    # The provider's word was taken over; nothing is left to do.
    TAKEN_OVER = "taken_over"
    # The next look compares again.
    COMPARED_AGAIN = "compared_again"
    # Nothing does: a person decides.
    PERSON = "person"


class Difference(Struct, frozen=True, kw_only=True):
    """A difference that a look found.

    `subject` is the provider's id of money that came, or else a reference; of a transfer it is our
    reference.
    """

    kind: DifferenceKind
    listed_as: ListedAs = ListedAs.CHARGE
    subject: str
    reference: str = ""
    provider_id: str = ""
    our_state: str = ""
    our_amount: Money | None = None
    their_state: str = ""
    their_amount: Money | None = None
    next_step: NextStep
    reason: str = ""
    occurred_at: datetime


class Compared(Struct, frozen=True):
    """What comparing a row found. `is_news`: the provider's word is to be taken over first."""

    difference: Difference | None = None
    is_news: bool = False


class ReconciliationRow(Struct, frozen=True, kw_only=True):
    """A difference as it stands; instants are real. Once settled it is no more."""

    id: ReconciliationRowId
    connection_id: ConnectionId
    difference: Difference
    found_at: datetime
    seen_at: datetime
    settled_at: datetime | None


class Look(Struct, frozen=True):
    """The last look at a connection's lists: of which span of charges, how many rows, when."""

    since: datetime
    until: datetime
    rows: int
    finished_at: datetime


class Listed(Struct, frozen=True):
    """Differences, newest first, and the last look; None before the first."""

    page: Page[ReconciliationRow]
    look: Look | None


class OurCharge(Struct, frozen=True):
    """What we have under a reference."""

    id: UUID
    reference: str
    state: str
    is_live: bool
    amount: Money


class OurPayment(Struct, frozen=True):
    """Money that we credited."""

    id: UUID
    provider_id: str
    reference: str
    amount: Money
    reversed: Decimal
    at: datetime


class OurTransfer(Struct, frozen=True):
    """A transfer that we sent, or intended to; `at` is when it was sent first."""

    reference: str
    provider_id: str
    state: str
    is_live: bool
    amount: Money
    has_fee: bool
    at: datetime


class Ours(Struct, frozen=True):
    """What we have of a page of the provider's: charges by reference, payments by their id."""

    charges: dict[str, OurCharge]
    payments: dict[str, OurPayment]


# What a provider's list says for good, so that it can be taken over.
DEFINITE = frozenset({State.SUCCEEDED, State.REVERSED, State.FAILED})
