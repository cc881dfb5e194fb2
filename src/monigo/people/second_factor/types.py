"""What a second factor is."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from monigo.core.ids import PasskeyId, UserId


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
    # What a passkey signs to end the waiting.
    passkey_challenge: bytes
    user_id: UserId
    failed_attempts: int
    created_at: datetime
    expires_at: datetime


class Registered(Struct, frozen=True):
    """A key that an authenticator has just made."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


class Passkey(Struct, frozen=True):
    """An authenticator that signs for a person; `sign_count` is how often it says it has."""

    id: PasskeyId
    user_id: UserId
    name: str
    credential_id: bytes
    public_key: bytes
    sign_count: int
    created_at: datetime
    last_used_at: datetime | None


class AddedPasskey(Struct, frozen=True):
    """A new passkey, and recovery codes, shown once, if it is the first second factor."""

    passkey: Passkey
    recovery_codes: list[str]
