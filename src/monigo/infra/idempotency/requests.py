"""Which request it is, what is kept of its answer and for how long; alike in both modes."""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Self

from msgspec import Struct

from monigo.core.errors import DomainError, ErrorKind, conflict
from monigo.infra import agenda
from monigo.infra.agenda import Entry, Follows, Kind, Slices, Task
from monigo.infra.crypto import Vault
from monigo.infra.db import Transaction
from monigo.infra.idempotency import store

PURPOSE = "request body"
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
    # The first is stored; a record may have another, of a secret that has been replaced since.
    body_hashes: tuple[bytes, ...]

    @classmethod
    def of(cls, parts: Iterable[str], body: bytes, vault: Vault) -> Self:
        """The identity of a request, made of the parts that distinguish it from all others.

        A body may have numbers that prove who a person is, of which there are few enough to be
        tried: it is hashed under the installation's secret, or where that has none and so asks no
        provider, under the request's own key.
        """
        key = "\n".join(parts).encode()
        if vault.has_key:
            hashes = vault.keyed_hashes(PURPOSE, hashlib.sha256(body).hexdigest(), context=key)
        else:
            hashes = [hmac.digest(key, body, "sha256")]
        return cls(hashlib.sha256(key).digest(), tuple(hashes))


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
    if record is not None and record.body_hash not in request.body_hashes:
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
