"""Replays of stored events."""
