"""The organisation's audit log."""
