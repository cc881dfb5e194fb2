"""How the bills of payout plans are split."""
