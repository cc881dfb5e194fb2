"""What an account is made of."""

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
