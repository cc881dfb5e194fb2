"""What a second factor is."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from monigo.core.ids import UserId


class App(Struct, frozen=True):
    """A person's authenticator app; it counts from its first right code on."""

    user_id: UserId
    ciphertext: bytes
    last_step: int
    confirmed_at: datetime | None


class Setup(Struct, frozen=True):
    """The secret to set up an authenticator app with, shown once."""

    secret: str
    uri: str


class State(Struct, frozen=True):
    """Whether a person's second factor is asked for, and how many recovery codes are left."""

    is_on: bool
    recovery_codes_left: int


class Challenge(Struct, frozen=True):
    """A log-in that waits for its second factor, the password being right; its id is the try's."""

    id: UUID
    token_hash: bytes
    user_id: UserId
    failed_attempts: int
    created_at: datetime
    expires_at: datetime
