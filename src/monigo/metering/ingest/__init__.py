"""Ingestion: events are checked and stored once, durably, before they are acknowledged."""

from monigo.metering.ingest.ingestion import Ingestor
from monigo.metering.ingest.quota_store import add_counts
from monigo.metering.ingest.rules import decode_batch
from monigo.metering.ingest.types import Event, IngestResult

__all__ = ["Event", "IngestResult", "Ingestor", "add_counts", "decode_batch"]
