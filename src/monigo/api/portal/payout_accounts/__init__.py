"""The accounts that a customer is paid to."""
