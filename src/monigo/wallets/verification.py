"""Verification: wallets, reservations and credits are compared with their accounts."""

from monigo.core.verification import Verification
from monigo.infra.db import Transaction
from monigo.wallets import verify_store


async def verify(tx: Transaction) -> Verification:
    """Compare wallets with their accounts in the ledger, in one snapshot."""
    return Verification(await verify_store.count(tx), await verify_store.compare(tx))
