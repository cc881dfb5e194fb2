"""Access tokens: signed by Ed25519, valid for fifteen minutes, with person and session only."""

import asyncio
import hashlib
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
from cachetools import FIFOCache
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from monigo.core.ids import SessionId, UserId, parse_id
from monigo.infra.crypto import UnreadableSecretError, Vault
from monigo.infra.db import INSTALLATION, Database, Transaction
from monigo.infra.ids import new_id
from monigo.infra.logging import logger
from monigo.people.sessions import store
from monigo.people.sessions.rules import ACCESS_LIFE
from monigo.people.sessions.types import Claims
from monigo.people.store import lock_name, see_people

log = logger(__name__)

ALGORITHM = "EdDSA"
PURPOSE = "signing key"
# A key that leaks unnoticed is worth little for long.
KEY_LIFE = timedelta(days=30)
# For as long a process goes by the keys that it knows.
KNOWN_SECONDS = 300
# A key signs once all processes know it, and the one before it no more.
ANNOUNCED_FOR = timedelta(seconds=2 * KNOWN_SECONDS)
RETIRED_AFTER = ANNOUNCED_FOR + timedelta(seconds=2 * KNOWN_SECONDS) + ACCESS_LIFE
# A token of an unknown key has us look whether there is a newer one, but not for each of them.
LOOK_SECONDS = 5


# About 5 MB; beyond it those read first are read again.
REMEMBERED_MAX = 10_000


class _Verified(Struct, frozen=True):
    """What a token of ours says, under which key, and until when, in seconds since 1970."""

    key_id: str
    claims: Claims
    expires_at: int


class _Key(Struct, frozen=True):
    id: UUID
    private: Ed25519PrivateKey
    created_at: datetime


class AccessTokens:
    """Signs and verifies access tokens, under keys that are stored encrypted."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._keys: dict[str, _Key] = {}
        self._present: _Key | None = None
        self._known_at: float | None = None
        self._looking = asyncio.Lock()
        # By their hashes. A signature stays right while its key is there.
        self._read: FIFOCache[bytes, _Verified] = FIFOCache(REMEMBERED_MAX)

    async def sign(self, claims: Claims, now: datetime) -> str:
        """The token of a session, for a quarter of an hour from now on.

        Raises:
            DomainError: unavailable, where the installation has no secret key.
        """
        key = await self._signing_key()
        return jwt.encode(
            {
                "sub": str(claims.user_id),
                "sid": str(claims.session_id),
                "iat": int(now.timestamp()),
                "exp": int((now + ACCESS_LIFE).timestamp()),
            },
            key.private,
            algorithm=ALGORITHM,
            headers={"kid": str(key.id)},
        )

    async def read(self, token: str, now: datetime) -> Claims | None:
        """The claims of a token; None for one that is not ours, or has expired."""
        token_hash = hashlib.sha256(token.encode()).digest()
        verified = self._read.get(token_hash)
        if verified is None or await self._key(verified.key_id) is None:
            verified = await self._verified(token)
            if verified is None:
                return None
            self._read[token_hash] = verified
        return verified.claims if now.timestamp() < verified.expires_at else None

    async def _verified(self, token: str) -> _Verified | None:
        """A token with our signature, which takes longer to check than a short query."""
        try:
            key_id = str(jwt.get_unverified_header(token).get("kid", ""))
        except jwt.InvalidTokenError:
            return None
        key = await self._key(key_id)
        if key is None:
            return None
        try:
            payload = jwt.decode(
                token,
                key.private.public_key(),
                algorithms=[ALGORITHM],
                # By our clock, below.
                options={
                    "verify_exp": False,
                    "verify_iat": False,
                    "require": ["sub", "sid", "exp"],
                },
            )
        except jwt.InvalidTokenError:
            return None
        user_id, session_id = parse_id(payload["sub"]), parse_id(payload["sid"])
        if user_id is None or session_id is None:
            return None
        claims = Claims(UserId(user_id), SessionId(session_id))
        return _Verified(key_id, claims, payload["exp"])

    async def _signing_key(self) -> _Key:
        async with self._looking:
            if self._present is None or self._is_older_than(KNOWN_SECONDS):
                await self._look(may_make=True)
        if self._present is None:
            raise RuntimeError("a key was made if there was none")
        return self._present

    async def _key(self, key_id: str) -> _Key | None:
        if self._may_be_news(key_id):
            async with self._looking:
                if self._may_be_news(key_id):
                    await self._look(may_make=False)
        return self._keys.get(key_id)

    def _may_be_news(self, key_id: str) -> bool:
        if key_id in self._keys:
            return self._is_older_than(KNOWN_SECONDS)  # It may be there no more.
        return parse_id(key_id) is not None and self._is_older_than(LOOK_SECONDS)

    def _is_older_than(self, seconds: float) -> bool:
        return self._known_at is None or time.monotonic() - self._known_at > seconds

    async def _look(self, *, may_make: bool) -> None:
        async with self._database.transaction(INSTALLATION) as tx:
            await see_people(tx)
            if may_make:
                await lock_name(tx, PURPOSE)
            keys = await self._load(tx)
            if may_make and (not keys or tx.real_now - keys[0].created_at >= KEY_LIFE):
                keys.insert(0, await self._make(tx))
            if may_make:
                keys = await self._without_retired(tx, keys)
            announced = [key for key in keys if tx.real_now - key.created_at >= ANNOUNCED_FOR]
        self._keys = {str(key.id): key for key in keys}
        self._present = next(iter([*announced, *reversed(keys)]), None)
        self._known_at = time.monotonic()

    async def _load(self, tx: Transaction) -> list[_Key]:
        found: list[_Key] = []
        for row in await store.signing_keys(tx):
            try:
                seed = self._vault.decrypt(PURPOSE, row["ciphertext"], context=row["id"].bytes)
            except UnreadableSecretError:
                log.warning("a signing key can't be opened any more", key=str(row["id"]))
                continue
            private = Ed25519PrivateKey.from_private_bytes(seed)
            found.append(_Key(row["id"], private, row["created_at"].astimezone(UTC)))
        return found

    async def _make(self, tx: Transaction) -> _Key:
        key = _Key(new_id(), Ed25519PrivateKey.generate(), tx.real_now)
        seed = key.private.private_bytes_raw()
        await store.insert_signing_key(
            tx, key.id, self._vault.encrypt(PURPOSE, seed, context=key.id.bytes)
        )
        return key

    async def _without_retired(self, tx: Transaction, keys: list[_Key]) -> list[_Key]:
        """Delete keys that were followed by others so long ago that none of their tokens counts."""
        retired = {
            key.id
            for key, newer in zip(keys[1:], keys, strict=False)
            if tx.real_now - newer.created_at > RETIRED_AFTER
        }
        if retired:
            await store.delete_signing_keys(tx, list(retired))
        return [key for key in keys if key.id not in retired]
