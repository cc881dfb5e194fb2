"""Reservations of money in wallets."""
