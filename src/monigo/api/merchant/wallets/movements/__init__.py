"""Credits to and debits from wallets."""
