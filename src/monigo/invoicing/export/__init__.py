"""Exports: invoices, and revenue by month, as CSV."""

from monigo.invoicing.export.service import export_invoices, export_revenue

__all__ = [
    "export_invoices",
    "export_revenue",
]
