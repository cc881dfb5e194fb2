"""Reconciliation: where providers' lists and our rows differ."""
