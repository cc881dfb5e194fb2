"""Pure: how a row of a provider's list of transfers compares with what we sent."""

from collections.abc import Container, Iterable
from datetime import datetime

from monigo.payments.events import is_ours
from monigo.payments.reconciliation.types import (
    DEFINITE,
    Compared,
    Difference,
    DifferenceKind,
    ListedAs,
    NextStep,
    OurTransfer,
)
from monigo.providers.port import Fact, Kind, State

# What did not arrive, or came back: the payee has nothing of it.
_NOT_THERE = frozenset({State.FAILED.value, State.REVERSED.value})


def compare(fact: Fact, transfer: OurTransfer | None, now: datetime) -> Compared:
    """How a row of the provider's list compares with our transfer; rows of others are equal."""
    if fact.kind is not Kind.TRANSFER or fact.state not in DEFINITE:
        return Compared()
    if transfer is None:
        if not is_ours(fact) or fact.state.value in _NOT_THERE:
            return Compared()
        return Compared(_difference(fact, None, DifferenceKind.MISSING_HERE, now), is_news=True)
    return _with_transfer(fact, transfer, now)


def _with_transfer(fact: Fact, transfer: OurTransfer, now: datetime) -> Compared:
    theirs = fact.state.value
    if fact.amount is not None and fact.amount != transfer.amount:
        other = _difference(fact, transfer, DifferenceKind.OTHER_AMOUNT, now)
        return Compared(other, is_news=transfer.is_live)
    if theirs == transfer.state:
        # What the provider took for it may be new.
        is_fee_new = fact.state is State.SUCCEEDED and not transfer.has_fee and fact.fee is not None
        return Compared(is_news=is_fee_new)
    if theirs in _NOT_THERE and transfer.state in _NOT_THERE:
        return Compared()
    other = _difference(fact, transfer, DifferenceKind.OTHER_STATE, now)
    return Compared(other, is_news=_is_news(fact, transfer))


def _is_news(fact: Fact, transfer: OurTransfer) -> bool:
    """Whether the provider's word counts: what came back stays so, what was paid does not fail."""
    match fact.state:
        case State.REVERSED:
            return True
        case State.SUCCEEDED:
            return transfer.state != State.REVERSED.value
        case _:
            return transfer.is_live


def missing_there(
    transfers: Iterable[OurTransfer], listed: Container[str], now: datetime
) -> list[Difference]:
    """Transfers that count as paid and that a whole list does not have, by reference."""
    return [
        Difference(
            kind=DifferenceKind.MISSING_THERE,
            listed_as=ListedAs.TRANSFER,
            subject=one.reference,
            reference=one.reference,
            provider_id=one.provider_id,
            our_state=one.state,
            our_amount=one.amount,
            next_step=NextStep.COMPARED_AGAIN,
            reason="the provider does not list it",
            occurred_at=min(one.at, now),
        )
        for one in transfers
        if one.reference not in listed
    ]


def _difference(
    fact: Fact, transfer: OurTransfer | None, kind: DifferenceKind, now: datetime
) -> Difference:
    return Difference(
        kind=kind,
        listed_as=ListedAs.TRANSFER,
        subject=fact.reference,
        reference=fact.reference,
        provider_id=fact.provider_id,
        our_state=transfer.state if transfer else "",
        our_amount=transfer.amount if transfer else None,
        their_state=fact.state.value,
        their_amount=fact.amount,
        next_step=NextStep.PERSON,
        occurred_at=min(fact.occurred_at or now, now),
    )
