"""What a mail is."""

from typing import NewType
from uuid import UUID

from msgspec import Struct

MailId = NewType("MailId", UUID)


class Mail(Struct, frozen=True):
    """A mail to one person, in plain text and HTML of the same content."""

    recipient: str
    subject: str
    text: str
    html: str
