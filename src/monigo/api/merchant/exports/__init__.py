"""Exports as CSV."""
