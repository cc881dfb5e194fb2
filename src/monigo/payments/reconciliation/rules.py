"""Pure: how a row of a provider's list compares with what we have."""

from collections.abc import Container, Iterable
from datetime import datetime, timedelta

from monigo.payments.events import is_ours
from monigo.payments.reconciliation.types import (
    DEFINITE,
    Compared,
    Difference,
    DifferenceKind,
    ListedAs,
    NextStep,
    OurCharge,
    OurPayment,
    Ours,
)
from monigo.providers.port import Fact, Kind, State

# Providers list what was begun then, however late it was paid; links live for a day, and what was
# sent to a payee may come back for days.
LOOKS_BACK = {ListedAs.CHARGE: timedelta(days=4), ListedAs.TRANSFER: timedelta(days=15)}
# What is younger may not be listed yet; what is as old as the span may have begun before it.
SETTLES_IN = timedelta(hours=1)
BEGUN_WITHIN = timedelta(days=2)
_IN = frozenset({Kind.CHARGE, Kind.DEPOSIT})


def compare(fact: Fact, ours: Ours, now: datetime) -> Compared:
    """How a row of the provider's list compares with what we have; rows of others are equal."""
    if fact.kind not in _IN or fact.state not in DEFINITE:
        return Compared()
    payment = ours.payments.get(fact.provider_id)
    charge = ours.charges.get(fact.reference or fact.account_reference)
    if payment is not None:
        return _with_payment(fact, payment, now)
    if fact.state is State.FAILED:
        # A failed try of a link leaves the link open: only the provider's own state of it counts.
        return Compared(is_news=charge is not None and charge.is_live)
    if charge is None and fact.kind is Kind.CHARGE and not is_ours(fact):
        return Compared()
    kind = DifferenceKind.OTHER_STATE if charge else DifferenceKind.MISSING_HERE
    return Compared(_difference(fact, kind, now, charge=charge), is_news=True)


def _with_payment(fact: Fact, payment: OurPayment, now: datetime) -> Compared:
    if fact.state is State.SUCCEEDED and fact.amount != payment.amount:
        other = _difference(fact, DifferenceKind.OTHER_AMOUNT, now, payment=payment)
        return Compared(other)
    if (fact.state is State.REVERSED) == (payment.reversed > 0):
        return Compared()
    other = _difference(fact, DifferenceKind.OTHER_STATE, now, payment=payment)
    return Compared(other, is_news=fact.state is State.REVERSED)


def missing_there(
    payments: Iterable[OurPayment], listed: Container[str], now: datetime
) -> list[Difference]:
    """Payments that we credited and that a whole list does not have."""
    return [
        Difference(
            kind=DifferenceKind.MISSING_THERE,
            subject=payment.provider_id,
            reference=payment.reference,
            provider_id=payment.provider_id,
            our_state=State.SUCCEEDED.value,
            our_amount=payment.amount,
            next_step=NextStep.COMPARED_AGAIN,
            reason="the provider does not list it",
            occurred_at=min(payment.at, now),
        )
        for payment in payments
        if payment.provider_id not in listed
    ]


def _difference(
    fact: Fact,
    kind: DifferenceKind,
    now: datetime,
    *,
    charge: OurCharge | None = None,
    payment: OurPayment | None = None,
) -> Difference:
    reference = fact.reference or fact.account_reference
    state = charge.state if charge else State.SUCCEEDED.value if payment else ""
    if payment and payment.reversed > 0:
        state = State.REVERSED.value
    known = charge or payment
    return Difference(
        kind=kind,
        subject=fact.provider_id or reference,
        reference=reference,
        provider_id=fact.provider_id,
        our_state=state,
        our_amount=known.amount if known else None,
        their_state=fact.state.value,
        their_amount=fact.amount,
        next_step=NextStep.PERSON,
        occurred_at=min(fact.occurred_at or now, now),
    )
