"""Ingestion of events."""
