"""What a mailed code is."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from monigo.core.ids import UserId
from monigo.people.codes.rules import Purpose


class Code(Struct, frozen=True):
    """A code that was mailed. Of an e-mail that nobody has it belongs to nobody."""

    id: UUID
    email: str
    purpose: Purpose
    is_link: bool
    code_hash: bytes
    registration_id: UUID | None
    user_id: UserId | None
    address_hash: bytes
    failed_attempts: int
    created_at: datetime
    expires_at: datetime


class Issued(Struct, frozen=True):
    """A code as it stands in the mail: six digits, or the token of a link."""

    secret: str
    is_link: bool


class Recent(Struct, frozen=True):
    """How many codes an e-mail and an address got within the hour, and how often one was wrong."""

    of_email: int
    of_address: int
    failed_attempts_today: int
