"""Verification: portal tokens are compared with the look-ups by which they are found."""

from monigo.core.verification import Verification
from monigo.infra.db import Transaction
from monigo.portal_access import verify_store


async def verify(tx: Transaction) -> Verification:
    """Compare tokens with their look-ups, in one snapshot."""
    return Verification(await verify_store.count(tx), await verify_store.compare(tx))
