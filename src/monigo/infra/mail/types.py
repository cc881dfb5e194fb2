"""What a mail is, and what became of it."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import NewType
from uuid import UUID

from msgspec import Struct

from monigo.infra.db import Transaction

MailId = NewType("MailId", UUID)


class Mail(Struct, frozen=True):
    """A mail to one address, in plain text and HTML of the same content.

    `sender_name` stands before the installation's own address, in place of its name. A mail with an
    `unsubscribe_url` can be stopped by one click (RFC 8058).
    """

    recipient: str
    subject: str
    text: str
    html: str
    sender_name: str = ""
    reply_to: str = ""
    unsubscribe_url: str = ""


class Outcome(StrEnum):
    """How a mail ended."""

    SENT = "sent"
    # The server does not know the address, and never will.
    ADDRESS_REFUSED = "address_refused"
    # The server does not take the mail, for another reason.
    REFUSED = "refused"
    # The server did not take it for days.
    EXPIRED = "expired"


# Notes how a mail ended, in the transaction that takes it off the agenda.
NoteOutcome = Callable[[Transaction, MailId, Outcome], Awaitable[None]]
