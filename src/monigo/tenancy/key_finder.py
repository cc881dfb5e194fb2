"""Finds where a presented key belongs, without asking the database twice."""

from monigo.infra.database import Database
from monigo.tenancy import store
from monigo.tenancy.rules import SECRET_LENGTH, secret_hash
from monigo.tenancy.types import KeyReference

# About 30 MB; beyond it all are forgotten and looked up again.
REMEMBERED_MAX = 100_000


class KeyFinder:
    """Remembers which tenant and key a secret's hash belongs to, which never changes.

    It says nothing of whether the key still counts: that is checked in each transaction under it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._found: dict[bytes, KeyReference] = {}

    async def find(self, secret: str) -> KeyReference | None:
        """Where a presented secret belongs, or None."""
        if len(secret) != SECRET_LENGTH:
            return None
        key_hash = secret_hash(secret)
        found = self._found.get(key_hash)
        if found is None:
            async with self._database.lookups() as connection:
                found = await store.find_key(connection, key_hash)
            # Only what exists is remembered: guesses must not fill the memory.
            if found is not None:
                if len(self._found) >= REMEMBERED_MAX:
                    self._found.clear()
                self._found[key_hash] = found
        return found
