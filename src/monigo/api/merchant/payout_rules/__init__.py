"""Payout rules: what they came to that no bill has."""
