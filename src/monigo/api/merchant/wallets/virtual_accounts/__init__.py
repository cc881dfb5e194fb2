"""Virtual accounts: bank accounts whose deposits fund a wallet."""
