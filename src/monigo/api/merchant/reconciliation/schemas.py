"""Differences between providers' lists and our rows, on the wire."""

from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta

from monigo.api.kernel.wire.outgoing import (
    Instant,
    ListEnvelope,
    Money,
    Outgoing,
)
from monigo.core.money import Money as Amount
from monigo.core.money import format_money
from monigo.payments.reconciliation import (
    DifferenceKind,
    ListedAs,
    NextStep,
    ReconciliationRow,
)


class ReconciliationRowOut(Outgoing, frozen=True):
    """A difference, and what happens by itself."""

    id: UUID
    kind: DifferenceKind
    listed_as: Annotated[ListedAs, Meta(description="in which of the provider's lists")]
    reference: str
    provider_reference: Annotated[str, Meta(description="the provider's own id")]
    our_status: str
    our_amount: Money | None
    provider_status: str
    provider_amount: Money | None
    currency: str | None
    next_step: Annotated[
        NextStep,
        Meta(
            description="taken_over: the provider's word counts already; compared_again: by the"
            " next look; person: nothing happens by itself"
        ),
    ]
    reason: str
    occurred_at: Instant
    found_at: Instant
    seen_at: Instant
    settled_at: Annotated[Instant | None, Meta(description="when it was no more")]

    @classmethod
    def of(cls, row: ReconciliationRow) -> Self:
        """The wire form."""
        found = row.difference
        known = found.our_amount or found.their_amount
        return cls(
            id=row.id,
            kind=found.kind,
            listed_as=found.listed_as,
            reference=found.reference,
            provider_reference=found.provider_id,
            our_status=found.our_state,
            our_amount=_text(found.our_amount),
            provider_status=found.their_state,
            provider_amount=_text(found.their_amount),
            currency=known.currency if known else None,
            next_step=found.next_step,
            reason=found.reason,
            occurred_at=found.occurred_at,
            found_at=row.found_at,
            seen_at=row.seen_at,
            settled_at=row.settled_at,
        )


class ReconciliationList(ListEnvelope, frozen=True):
    """Differences, newest first, and the last whole look at the provider's list."""

    last_looked_at: Annotated[Instant | None, Meta(description="null: not looked at yet")]
    looked_since: Instant | None
    looked_until: Instant | None
    rows_listed: int
    reconciliation: list[ReconciliationRowOut]


def _text(amount: Amount | None) -> str | None:
    return None if amount is None else format_money(amount.amount)
