"""Rating: usage and terms become the lines and totals of an invoice."""

from monigo.invoicing.rating.billed_store import load_closed, remeasure
from monigo.invoicing.rating.grouping import described, undescribed
from monigo.invoicing.rating.rating import reckon
from monigo.invoicing.rating.rounding import is_rounded, is_worth_an_invoice, resting
from monigo.invoicing.rating.terms import TermBook, freeze, load_book, thaw, thaw_invoice

__all__ = [
    "TermBook",
    "described",
    "freeze",
    "is_rounded",
    "is_worth_an_invoice",
    "load_book",
    "load_closed",
    "reckon",
    "remeasure",
    "resting",
    "thaw",
    "thaw_invoice",
    "undescribed",
]
