"""Verification: what was received for wallets is compared with what they were credited."""

from monigo.collection.funding import store
from monigo.core.verification import Verification
from monigo.infra.db import Transaction


async def verify(tx: Transaction) -> Verification:
    """Compare payments for wallets with the ledger, in one snapshot."""
    return Verification(await store.count(tx), await store.compare(tx))
