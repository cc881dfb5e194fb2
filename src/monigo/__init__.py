"""Monigo: an open, self-hosted billing engine."""
