"""Verification: the chain is computed again from its entries, and none that was written is lost."""

from monigo.audit import verify_store
from monigo.audit.service import CHAIN
from monigo.core.verification import DIFFERENCES_MAX, Difference, Verification
from monigo.infra import outbox
from monigo.infra.db import Transaction


async def verify(tx: Transaction) -> Verification:
    """Compare each entry with the one before it, the head with the last, records with entries.

    A changed, removed, added or reordered entry is a difference, and so is one that was written in
    this mode and did not reach the log. What waits to be linked is none. The chain is of both
    modes, and looked at in live mode.
    """
    found: list[Difference] = []
    entries = 0
    if not tx.is_test:
        entries = await verify_store.count(tx)
        found += await verify_store.compare(tx)
    async for records in outbox.handled(tx, CHAIN):
        if len(found) < DIFFERENCES_MAX:
            found += await verify_store.list_missing(tx, list(records.values()))
    return Verification({"audit entries": entries}, found[:DIFFERENCES_MAX])
