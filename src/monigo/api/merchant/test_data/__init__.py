"""Data of test mode."""
