"""Verification: payouts are compared with their bills, their transfers and the books."""

from monigo.core.verification import Verification
from monigo.infra.db import Transaction
from monigo.payouts import verify_store


async def verify(tx: Transaction) -> Verification:
    """Compare what was paid of bills with legs, legs with transfers, and all with the books."""
    return Verification(await verify_store.count(tx), await verify_store.compare(tx))
