"""Which request it is, what is kept of its answer and for how long; alike in both modes."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Self

from msgspec import Struct

from monigo.core.errors import DomainError, ErrorKind, conflict
from monigo.infra import agenda
from monigo.infra.agenda import Entry, Follows, Kind, Slices, Task
from monigo.infra.db import Transaction
from monigo.infra.idempotency import store

# How long a repeated request gets its first answer.
KEPT_FOR = timedelta(hours=24)
# Of the records that were made within a span of time.
EXPIRY = Kind("idempotency_expiry", Follows.REAL)
EXPIRY_SPAN = timedelta(hours=1)
# Refusals that a repeat of the request would get again, whenever it comes.
KEPT_REFUSALS = frozenset({400, 404, 409, 422})


class RequestIdentity(Struct, frozen=True):
    """What makes a request the same one (`request_key`), and whether it asks the same."""

    request_key: bytes
    body_hash: bytes

    @classmethod
    def of(cls, parts: Iterable[str], body: bytes) -> Self:
        """The identity of a request, made of the parts that distinguish it from all others."""
        key = "\n".join(parts)
        return cls(hashlib.sha256(key.encode()).digest(), hashlib.sha256(body).digest())


class Answer(Struct, frozen=True):
    """A response as it was given."""

    status: int
    body: bytes


def is_kept(status: int) -> bool:
    """Whether an answer of this status is final, so that a repeat gets it, too."""
    return 200 <= status < 300 or status in KEPT_REFUSALS  # noqa: PLR2004 - HTTP's own ranges


async def load(tx: Transaction, request: RequestIdentity) -> store.Record | None:
    """What is known of a request, which nobody else begins before this transaction ends.

    Raises:
        DomainError: conflict, when another transaction is at it; mismatch, when the key came with
            another body before.
    """
    if not await store.try_lock(tx, request.request_key):
        raise running()
    record = await store.load(tx, request.request_key, since=tx.real_now - KEPT_FOR)
    if record is not None and record.body_hash != request.body_hash:
        raise DomainError(
            ErrorKind.MISMATCH,
            "idempotency_key_reused",
            "this Idempotency-Key was used with another body",
        )
    return record


def answer_in(record: store.Record) -> Answer | None:
    """The answer that a record holds, if the request was answered."""
    if record.status is None or record.response_body is None:
        return None
    return Answer(record.status, record.response_body)


def running() -> DomainError:
    """The refusal of a repeat that came too early."""
    error = conflict("request_running", "the first request with this key is running")
    error.retry_after_seconds = 1
    return error


async def note_expiry(tx: Transaction) -> None:
    """Note that a record is kept now, which is to be deleted once nobody gets it any more."""
    await agenda.put_for_span(tx, EXPIRY, tx.real_now, span=EXPIRY_SPAN, after=KEPT_FOR)


async def forget(tx: Transaction, _entries: Sequence[Entry] = ()) -> tuple[()]:
    """Delete what a repeated request no longer gets."""
    await store.delete(tx, before=tx.real_now - KEPT_FOR)
    return ()


FORGET = Task(EXPIRY, Slices(forget), concurrency=1, every_seconds=60)
