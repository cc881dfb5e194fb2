"""What the WhatsApp Cloud API is asked, and what it says."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class Keys(Struct, frozen=True):
    """By what the Cloud API knows a merchant: a token of a system user, and the app's secret."""

    access_token: str
    app_secret: str

    def __repr__(self) -> str:
        return "Keys(…)"


class PhoneNumber(Struct, frozen=True):
    """A number that messages are sent from, as WhatsApp knows it."""

    id: str
    display_number: str
    verified_name: str


class TemplateMessage(Struct, frozen=True, kw_only=True):
    """A message by a template that WhatsApp has approved.

    `to` has digits only, the country's code first. `reference` comes back with each status.
    """

    to: str
    template: str
    language: str
    parameters: tuple[str, ...]
    reference: str


class Advice(StrEnum):
    """What to do about a refusal."""

    # The same message may be sent again, after a moment.
    AGAIN = "again"
    # The same, after some minutes: one recipient got too many at once.
    AGAIN_LATER = "again_later"
    # It will not arrive by WhatsApp; another way is to be used.
    OTHER_WAY = "other_way"
    # Nothing arrives until somebody mends the account or its token.
    MEND = "mend"


class Accepted(Struct, frozen=True):
    """WhatsApp has a message; whether it arrives, its statuses report."""

    message_id: str


class Refused(Struct, frozen=True):
    """A request was refused: nothing was sent by it. `code` is Meta's, 0 where there is none."""

    code: int
    reason: str
    advice: Advice


class NotSent(Struct, frozen=True):
    """Nothing of the request left this machine."""

    reason: str


class NoAnswer(Struct, frozen=True):
    """The request left, and nobody knows what became of it."""

    reason: str


Outcome = Accepted | Refused | NotSent | NoAnswer


class Status(StrEnum):
    """What WhatsApp reports of a message."""

    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


class StatusReport(Struct, frozen=True, kw_only=True):
    """A message's status; `reference` is what was sent along with it."""

    message_id: str
    reference: str
    status: Status
    at: datetime
    code: int = 0
    reason: str = ""


class Received(Struct, frozen=True):
    """A text that somebody wrote to the merchant's number; `phone` has digits only."""

    phone: str
    text: str
    at: datetime


class Hook(Struct, frozen=True):
    """What a webhook reports of one of the merchant's numbers."""

    phone_number_id: str
    statuses: tuple[StatusReport, ...]
    received: tuple[Received, ...]
