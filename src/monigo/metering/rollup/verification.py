"""Verification: what is kept of events is computed again from the events themselves."""

from monigo.core.verification import Verification
from monigo.infra.db import Transaction
from monigo.metering import attribution
from monigo.metering.rollup import verify_store


async def verify(tx: Transaction) -> Verification:
    """Compare buckets, distinct values, months' counts, waiting batches and amounts with events.

    In one snapshot, so that it may run at any time. What is read from events anyway is left out:
    hours from before a metric's buckets are whole, and from before events keep their properties.
    """
    amounts = await attribution.verify(tx)
    return Verification(
        {**await verify_store.count(tx), **amounts.looked_at},
        [*await verify_store.compare(tx), *amounts.differences],
    )
