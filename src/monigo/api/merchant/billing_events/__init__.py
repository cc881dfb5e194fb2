"""Billing events."""
