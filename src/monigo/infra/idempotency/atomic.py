"""Requests of one transaction: a lock that ends with it, and an answer that commits with it.

Where the process dies, nothing is left behind: neither effect nor lock nor answer.
"""

from monigo.infra.db import Transaction
from monigo.infra.idempotency import store
from monigo.infra.idempotency.requests import Answer, RequestIdentity, answer_in, load, note_expiry


async def begin(tx: Transaction, request: RequestIdentity) -> Answer | None:
    """The answer that the request got within 24 hours; None where it is to be done now.

    No other attempt at the same request can begin before the transaction ends.

    Raises:
        DomainError: conflict, when another attempt is still running; mismatch, when the key came
            with another body before.
    """
    record = await load(tx, request)
    return None if record is None else answer_in(record)


async def keep(tx: Transaction, request: RequestIdentity, answer: Answer) -> None:
    """Store a final response, in the transaction whose effect it reports."""
    await store.keep(tx, request.request_key, request.body_hashes[0], answer.status, answer.body)
    await note_expiry(tx)
