"""Explanations: how each amount of an invoice came about, in steps that add up to it."""

from monigo.invoicing.explain.service import explain
from monigo.invoicing.explain.types import BilledBefore, ExplainedLine, Explanation

__all__ = [
    "BilledBefore",
    "ExplainedLine",
    "Explanation",
    "explain",
]
