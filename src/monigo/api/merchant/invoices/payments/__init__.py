"""Payments of invoices: links, tries, refunds."""
