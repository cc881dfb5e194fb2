"""Verification: charges, payments, refunds and provider events are compared with each other."""

from monigo.core.verification import Verification
from monigo.infra.db import Transaction
from monigo.payments import verify_store


async def verify(tx: Transaction) -> Verification:
    """Compare charges and events with what came by them, and payments with what went back."""
    return Verification(await verify_store.count(tx), await verify_store.compare(tx))
