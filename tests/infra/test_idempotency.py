"""Records of requests that came with an Idempotency-Key."""

from datetime import timedelta
from hashlib import sha256
from uuid import uuid4

from monigo.infra.idempotency import store

KEY, BODY = sha256(b"key").digest(), sha256(b"body").digest()
MINUTE = timedelta(minutes=1)


def test_an_answered_request_is_not_taken_over(api, backend):
    async def take_over():
        async with backend.services.database.transaction(api.tenant) as tx:
            await store.keep(tx, KEY, BODY, 201, b"{}")
        async with backend.services.database.transaction(api.tenant) as tx:
            return await store.take_over(tx, KEY, uuid4(), until=tx.real_now + MINUTE)

    assert backend.run(take_over()) is False
