"""Booking: what becomes of invoices and bills, in the books."""

from monigo.invoicing.booking.rules import (
    finalized,
    paid_back,
    received,
    subject_of,
    voided,
    written_off,
)
from monigo.invoicing.booking.service import bring_in
from monigo.invoicing.booking.verification import compare_books

__all__ = [
    "bring_in",
    "compare_books",
    "finalized",
    "paid_back",
    "received",
    "subject_of",
    "voided",
    "written_off",
]
