"""Rating: usage and terms become the lines and totals of an invoice."""

from monigo.invoicing.rating.billed_store import load_closed, remeasure
from monigo.invoicing.rating.grouping import described, undescribed
from monigo.invoicing.rating.rating import rate
from monigo.invoicing.rating.rounding import is_rounded, is_worth_an_invoice, resting
from monigo.invoicing.rating.terms import (
    RunningTerms,
    load_closed_terms,
    load_invoice_terms,
    load_running_terms,
    serialize_terms,
)

__all__ = [
    "RunningTerms",
    "described",
    "is_rounded",
    "is_worth_an_invoice",
    "load_closed",
    "load_closed_terms",
    "load_invoice_terms",
    "load_running_terms",
    "rate",
    "remeasure",
    "resting",
    "serialize_terms",
    "undescribed",
]
