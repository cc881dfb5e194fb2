"""Costs: what periods have come to so far, for many at once."""

from monigo.invoicing.costs.service import costs_of

__all__ = ["costs_of"]
