"""Verification: every balance and every chain is computed again from the transfers."""

from monigo.core.verification import Verification
from monigo.infra.db import Transaction
from monigo.ledger import verify_store


async def verify(tx: Transaction) -> Verification:
    """Compare heads with the sums of their transfers, and each entry with the one before it.

    In one snapshot, so that it may run at any time. A gap, a changed or lost transfer, a balance
    that does not follow and a link that does not hold are differences.
    """
    return Verification(await verify_store.count(tx), await verify_store.compare(tx))
