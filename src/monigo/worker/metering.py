"""Keeps usage ready to be read."""

from monigo import metering
from monigo.bootstrap import Services


async def fold_usage(services: Services) -> None:
    """Add what was ingested since the last time to the buckets."""
    await metering.fold_all(services.database)
