"""Explanations of invoices and bills."""
