"""WhatsApp: a merchant's number, which notices go by it, and what became of each message."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from monigo.core.ids import CustomerId, WhatsAppConnectionId, WhatsAppMessageId
from monigo.notifications.occasions import Occasion
from monigo.tenancy import MailType

# The type of a message that somebody sends to see whether it arrives.
TEST = "test"


class Health(StrEnum):
    """How WhatsApp answered of late."""

    HEALTHY = "healthy"
    # The token is refused, or the account is locked or not paid for: somebody has to mend it.
    FAILING = "failing"


class Connection(Struct, frozen=True, kw_only=True):
    """The number that a mode's messages come from. Instants are real."""

    id: WhatsAppConnectionId
    phone_number_id: str
    business_account_id: str
    display_number: str
    verified_name: str
    secrets_ciphertext: bytes
    health: Health
    last_success_at: datetime | None
    last_error: str
    last_error_at: datetime | None
    webhook_last_at: datetime | None
    connected_at: datetime
    updated_at: datetime

    def __repr__(self) -> str:
        return f"Connection({self.id})"


class Secrets(Struct, frozen=True, kw_only=True):
    """What is encrypted of a connection.

    `verify_token` is what Meta shows when it asks whether the webhook's address is right.
    """

    access_token: str
    app_secret: str
    verify_token: str

    def __repr__(self) -> str:
        return "Secrets(…)"


class NewConnection(Struct, frozen=True, kw_only=True):
    """A number that is to be connected, with its secrets in the clear."""

    phone_number_id: str
    business_account_id: str
    secrets: Secrets

    def __repr__(self) -> str:
        return "NewConnection(…)"


class Saving(Struct, frozen=True):
    """A number that is to be connected once WhatsApp has accepted its token; encrypted."""

    connection_id: WhatsAppConnectionId
    ciphertext: str


class Notice(Struct, frozen=True):
    """Whether notices of a type go by WhatsApp, and by which template.

    `languages` are those in which WhatsApp has approved the template, the usual one first.
    """

    enabled: bool
    template: str
    languages: tuple[str, ...]


class Settings(Struct, frozen=True):
    """Which notices go by WhatsApp: each type has an entry."""

    notices: Mapping[MailType, Notice]


class NoticeChanges(Struct, frozen=True, kw_only=True):
    """What is to be changed of a notice; None leaves it as it is."""

    enabled: bool | None = None
    template: str | None = None
    languages: tuple[str, ...] | None = None


class MessageStatus(StrEnum):
    """How far a message has come."""

    WAITING = "waiting"
    # WhatsApp is asked to take it; one that is found so later may have been taken.
    SENDING = "sending"
    # It was sent, and no answer came: it is not sent again.
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


class Fault(StrEnum):
    """Why a message was not sent, beside what it was about being undone."""

    CUSTOMER_DELETED = "customer_deleted"
    NO_PHONE = "no_phone"
    OPTED_OUT = "opted_out"
    NOT_CONNECTED = "not_connected"
    SWITCHED_OFF = "switched_off"
    # It could not be sent for so long that it is no news any more.
    EXPIRED = "expired"


class Message(Struct, frozen=True, kw_only=True):
    """A message to a customer; `fact_id` and `occasion` are None of a test. Instants are real.

    `whatsapp_id` is WhatsApp's, empty while unknown; `error_code` is Meta's.
    """

    id: WhatsAppMessageId
    fact_id: UUID | None
    customer_id: CustomerId
    type: str
    occasion: Occasion | None
    status: MessageStatus
    phone: str = ""
    template: str = ""
    language: str = ""
    parameters: tuple[str, ...] = ()
    attempts: int = 0
    whatsapp_id: str = ""
    error_code: int | None = None
    reason: str = ""
    created_at: datetime
    sending_at: datetime | None = None
    accepted_at: datetime | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    read_at: datetime | None = None
    failed_at: datetime | None = None
    fell_back_at: datetime | None = None


class Address(Struct, frozen=True):
    """Where a message goes, and in which words."""

    phone: str
    template: str
    language: str
    parameters: tuple[str, ...]
