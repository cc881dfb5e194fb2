"""Verification: no instant is billable twice, and nothing that is due is forgotten."""

from monigo.core.verification import DIFFERENCES_MAX, Difference, Verification
from monigo.infra.db import Transaction
from monigo.subscriptions import store, verify_store
from monigo.subscriptions.rules import next_due_at

SUBSCRIPTIONS_A_PAGE = 10_000


async def verify(tx: Transaction) -> Verification:
    """Compare stretches with subscriptions and pauses, and what is due with what is noted."""
    twice = await verify_store.list_billable_twice(tx, DIFFERENCES_MAX)
    stretches = await verify_store.list_other_stretches(tx, DIFFERENCES_MAX)
    return Verification(
        {"subscriptions": await verify_store.count(tx)},
        [
            *(
                Difference("usage billable twice", str(row["id"]), row["instants"], "")
                for row in twice
            ),
            *(
                Difference(
                    "stretches of a subscription", str(row["id"]), row["stored"], row["computed"]
                )
                for row in stretches
            ),
            *await _forgotten(tx),
        ],
    )


async def _forgotten(tx: Transaction) -> list[Difference]:
    """Subscriptions for which something is due by rule, but nothing is noted.

    A subscription that could not be billed for two weeks waits for a change, with its
    `billing_error`.
    """
    differences: list[Difference] = []
    after = None
    while len(differences) < DIFFERENCES_MAX:
        ids = await verify_store.list_without_due(tx, after=after, limit=SUBSCRIPTIONS_A_PAGE)
        if not ids:
            break
        after = ids[-1]
        for known in await store.load_ever(tx, ids):
            due_at = next_due_at(known, tx.now)
            if due_at is not None:
                differences.append(Difference("due work", str(known.id), None, due_at.isoformat()))
    return differences[:DIFFERENCES_MAX]
