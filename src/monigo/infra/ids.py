"""New ids: UUIDv7, so that rows made together lie together on disk."""

from uuid import UUID

from asyncpg.pgproto import pgproto
from uuid_utils import uuid7


def new_id() -> UUID:
    """A fresh id that sorts after those made before it on this machine.

    Of the driver's own kind, which is made, written and compared several times as fast.
    """
    return pgproto.UUID(uuid7().bytes)
