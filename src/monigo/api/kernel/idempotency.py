"""Idempotency-Key: a repeated request is answered as the first one was, and done once."""

import hashlib
from typing import Self

from fastapi import Request, Response
from msgspec import Struct

from monigo.core.errors import DomainError, ErrorKind, conflict, invalid
from monigo.infra import idempotency_store
from monigo.infra.database import Transaction

METHODS = frozenset({"POST", "PUT", "PATCH"})
KEY_LENGTH_MAX = 255
KEPT_STATUSES = frozenset({400, 404, 409, 422})


class Attempt(Struct, frozen=True):
    """One try at a request that carries a key."""

    request_key: bytes
    body_hash: bytes

    @classmethod
    async def of(cls, tx: Transaction, request: Request) -> Self | None:
        """The attempt that a request is, or None when it carries no key.

        While it lasts, no other attempt at the same request can begin.

        Raises:
            DomainError: invalid key; conflict, when another attempt is still running.
        """
        key = request.headers.get("idempotency-key")
        if key is None or request.method not in METHODS:
            return None
        if not 1 <= len(key) <= KEY_LENGTH_MAX:
            raise invalid({"Idempotency-Key": f"must have 1 to {KEY_LENGTH_MAX} characters"})
        scope = "\n".join(
            (str(tx.org_id), str(tx.is_test), request.method, request.scope["path"], key)
        )
        attempt = cls(
            request_key=hashlib.sha256(scope.encode()).digest(),
            body_hash=hashlib.sha256(await request.body()).digest(),
        )
        if not await idempotency_store.try_lock(tx, attempt.request_key):
            running = conflict("request_running", "the first request with this key is running")
            running.retry_after_seconds = 1
            raise running
        return attempt

    async def replay(self, tx: Transaction) -> Response | None:
        """The first answer, or None when this is the first attempt within 24 hours.

        Raises:
            DomainError: mismatch, when the key came with another body before.
        """
        kept = await idempotency_store.load(
            tx, self.request_key, since=tx.real_now - idempotency_store.KEPT_FOR
        )
        if kept is None:
            return None
        if kept.body_hash != self.body_hash:
            raise DomainError(
                ErrorKind.MISMATCH,
                "idempotency_key_reused",
                "this Idempotency-Key was used with another body",
            )
        return Response(
            kept.response_body,
            kept.status,
            {"Idempotent-Replayed": "true"},
            media_type="application/json",
        )

    def keeps(self, status: int) -> bool:
        """Whether an answer of this status is final, so that a repeat gets it, too."""
        return 200 <= status < 300 or status in KEPT_STATUSES  # noqa: PLR2004 - HTTP's own ranges

    async def record(self, tx: Transaction, response: Response) -> None:
        """Keep the answer, in the transaction that did what it tells."""
        if self.keeps(response.status_code):
            await idempotency_store.store(
                tx,
                self.request_key,
                idempotency_store.Kept(self.body_hash, response.status_code, bytes(response.body)),
            )
