"""Credits, granted to wallets."""
