"""New ids: UUIDv7, so that rows made together lie together on disk."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A fresh id that sorts after those made before it on this machine."""
    return uuid7()
