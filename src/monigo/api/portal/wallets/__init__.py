"""A customer's wallets."""
