"""What an account is made of."""

from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from monigo.people.types import User


class Credentials(Struct, frozen=True):
    """A person, and what is kept of the password."""

    user: User
    password_hash: str


class Registration(Struct, frozen=True):
    """A registration whose e-mail is not verified yet."""

    id: UUID
    email: str
    full_name: str
    password_hash: str
    # From where.
    address_hash: bytes


class Change(StrEnum):
    """What became of a person's second factor, as a mail puts it."""

    APP = "an authenticator app was set up"
    PASSKEY_ADDED = "a passkey was added"
    PASSKEY_REMOVED = "a passkey was removed"
    OFF = "it was switched off"
