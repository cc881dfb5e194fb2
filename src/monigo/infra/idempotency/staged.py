"""Requests in stages: an intent that is committed, calls to the outside, an answer.

The intent's transaction claims the request. The claim is renewed while its holder works, and lapses
when the holder is silent; then a repeat takes over the stored intent and never makes another one. A
process that lost its claim can't answer, so that only the process that recorded the outcome does.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct

from monigo.core.errors import ensure
from monigo.infra.db import Database, Tenant, Transaction
from monigo.infra.idempotency import store
from monigo.infra.idempotency.requests import (
    KEPT_FOR,
    Answer,
    RequestIdentity,
    answer_in,
    load,
    note_expiry,
    running,
)
from monigo.infra.ids import new_id

# A claim whose holder was silent for so long was left behind by a process that died.
LAPSES_AFTER = timedelta(seconds=60)
# Several times within that, so that one renewal may fail.
RENEW_SECONDS = 15


class Claim(Struct, frozen=True):
    """A request that this process is at, and the intent that its first transaction committed."""

    request: RequestIdentity
    holder_id: UUID
    intent: Any


async def begin(tx: Transaction, request: RequestIdentity) -> Answer | Claim | None:
    """The answer that the request got; or a claim taken over from one who was silent too long.

    None where the request is new: then its intent is made, and claimed in the same transaction.

    Raises:
        DomainError: conflict, when somebody is still at it; mismatch, when the key came with
            another body before.
    """
    record = await load(tx, request)
    if record is None:
        return None
    answer = answer_in(record)
    if answer is not None:
        return answer
    holder_id = new_id()
    until = tx.real_now + LAPSES_AFTER
    if not await store.take_over(tx, request.request_key, holder_id, until=until):
        raise running()
    return Claim(request, holder_id, record.intent)


async def claim(tx: Transaction, request: RequestIdentity, intent: Any) -> Claim:
    """Claim a new request, in the transaction that commits its intent."""
    claimed = Claim(request, new_id(), intent)
    until = tx.real_now + LAPSES_AFTER
    is_new = await store.insert_claim(
        tx,
        request.request_key,
        request.body_hashes[0],
        intent,
        claimed.holder_id,
        until=until,
        forgotten_before=tx.real_now - KEPT_FOR,
    )
    ensure(is_new, "a request that is started over has no record yet")
    await note_expiry(tx)
    return claimed


@asynccontextmanager
async def renewed(database: Database, tenant: Tenant, claimed: Claim) -> AsyncGenerator[None]:
    """Keep a claim while inside. Where that fails, it is left to the next repeat at once."""
    renewing = asyncio.create_task(_renew(database, tenant, claimed))
    try:
        yield
    except BaseException:
        # Where the database is away, the claim lapses.
        with contextlib.suppress(Exception):
            async with database.transaction(tenant) as tx:
                await store.release(tx, claimed.request.request_key, claimed.holder_id)
        raise
    finally:
        renewing.cancel()


async def lock_claim(tx: Transaction, claimed: Claim) -> None:
    """Make sure, until the transaction ends, that the claim is ours.

    Raises:
        DomainError: conflict, when another repeat has taken it over: what it finds out counts.
    """
    if not await store.lock_claim(tx, claimed.request.request_key, claimed.holder_id):
        raise running()


async def answer(tx: Transaction, claimed: Claim, final: Answer) -> None:
    """Store a final response, in the transaction that recorded the outcome; after `lock_claim`."""
    is_ours = await store.answer_claim(
        tx, claimed.request.request_key, claimed.holder_id, final.status, final.body
    )
    ensure(is_ours, "a claim that is held stays ours until the transaction ends")


async def release(tx: Transaction, claimed: Claim) -> None:
    """Leave a request to its next repeat, which goes on from the same intent; after `hold`."""
    await store.release(tx, claimed.request.request_key, claimed.holder_id)


async def start_over(tx: Transaction, claimed: Claim) -> None:
    """Let the request's next repeat make an intent of its own; after `hold`."""
    await store.delete_claim(tx, claimed.request.request_key, claimed.holder_id)


async def _renew(database: Database, tenant: Tenant, claimed: Claim) -> None:
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        # One that fails is made up for by the next; a lost claim is noticed when it is answered.
        with contextlib.suppress(Exception):
            async with database.transaction(tenant) as tx:
                await store.renew(
                    tx,
                    claimed.request.request_key,
                    claimed.holder_id,
                    until=tx.real_now + LAPSES_AFTER,
                )
