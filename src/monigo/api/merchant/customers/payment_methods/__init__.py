"""Customers' saved payment methods."""
