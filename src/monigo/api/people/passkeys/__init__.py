"""The passkeys of a person."""
