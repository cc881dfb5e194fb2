"""Portal tokens."""
