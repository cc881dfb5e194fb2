"""Statements of payees."""
