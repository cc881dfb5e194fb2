"""Automatic top-ups of wallets."""
