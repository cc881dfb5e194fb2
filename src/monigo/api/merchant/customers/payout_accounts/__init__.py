"""Payees' accounts: where customers of payout plans get their money."""
