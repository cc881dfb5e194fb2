"""Countries and currencies."""
