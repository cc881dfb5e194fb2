"""What a mail is."""

from typing import NewType
from uuid import UUID

from msgspec import Struct

MailId = NewType("MailId", UUID)


class Mail(Struct, frozen=True):
    """A mail to one person, in plain text and HTML that say the same."""

    recipient: str
    subject: str
    text: str
    html: str
