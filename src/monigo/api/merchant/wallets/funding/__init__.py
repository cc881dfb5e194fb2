"""Funding: links by which wallets are paid into."""
