"""Received money: payments, each counted once, and where they went."""

from monigo.payments.received import events
from monigo.payments.received.events import PaymentReceived, PaymentReversed
from monigo.payments.received.service import (
    adopt,
    count_refunded,
    find_clashes,
    find_same,
    get_payment,
    note_uncovered,
    payment_by_reference,
    payments_of,
    payments_of_charges,
    place,
    receive,
    receive_all,
    receive_reversed,
    receive_unmatched,
    refunded_of_invoice,
    reverse,
)
from monigo.payments.received.types import Payment, PaymentKind, Placement, Purpose, Receipt

__all__ = [
    "Payment",
    "PaymentKind",
    "PaymentReceived",
    "PaymentReversed",
    "Placement",
    "Purpose",
    "Receipt",
    "adopt",
    "count_refunded",
    "events",
    "find_clashes",
    "find_same",
    "get_payment",
    "note_uncovered",
    "payment_by_reference",
    "payments_of",
    "payments_of_charges",
    "place",
    "receive",
    "receive_all",
    "receive_reversed",
    "receive_unmatched",
    "refunded_of_invoice",
    "reverse",
]
