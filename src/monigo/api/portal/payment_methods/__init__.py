"""The cards and accounts that a customer pays by."""
