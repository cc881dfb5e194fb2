"""Wallets and what moves their money."""
