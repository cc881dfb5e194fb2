"""Verification: a clock on its way stands on the agenda, and no other does."""

from monigo.core.verification import Difference, Verification
from monigo.infra.db import Transaction
from monigo.test_mode import store
from monigo.test_mode.clock import TEST_CLOCK


async def verify(tx: Transaction) -> Verification:
    """Compare the organisation's clock with its entry on the agenda; live mode has neither."""
    if not tx.is_test:
        return Verification({}, [])
    moves, is_found = await store.compare_with_agenda(tx, TEST_CLOCK.name)
    if moves == is_found:
        return Verification({}, [])
    stored, computed = ("present", None) if is_found else (None, "present")
    difference = Difference("due work of a test clock", str(tx.org_id), stored, computed)
    return Verification({}, [difference])
