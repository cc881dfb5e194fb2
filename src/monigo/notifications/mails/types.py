"""Mails to customers: what they are about, what they say, and what became of them."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from monigo.core.ids import CustomerId, CustomerMailId, MailSuppressionId
from monigo.infra.languages import Language
from monigo.notifications.occasions import Occasion
from monigo.tenancy import MailType

# Customers who want no notices get these all the same: what is owed, and what was paid.
BILLS = frozenset(
    {
        MailType.INVOICE_FINALIZED,
        MailType.INVOICE_OVERDUE,
        MailType.RECEIPT,
        MailType.PAYMENT_FAILED,
    }
)


class MailStatus(StrEnum):
    """How far a mail has come."""

    # By the limit on a customer's mails, or until the worker makes it.
    WAITING = "waiting"
    # The mail server is asked to take it.
    SENDING = "sending"
    # The mail server took it.
    SENT = "sent"
    NOT_SENT = "not_sent"


class NotSent(StrEnum):
    """Why a mail was not sent."""

    CUSTOMER_DELETED = "customer_deleted"
    NO_ADDRESS = "no_address"
    BAD_ADDRESS = "bad_address"
    BOUNCED = "bounced"
    UNSUBSCRIBED = "unsubscribed"
    # What it was about is paid by now, or was taken back.
    SETTLED = "settled"
    WITHDRAWN = "withdrawn"
    # The customer got as many as one may in a day.
    LIMIT = "limit"
    # Nobody is named who gets the mails of test mode.
    TEST_MODE = "test_mode"
    # Mails can't be written down: the installation has no key to encrypt them with.
    SECRET_KEY_MISSING = "secret_key_missing"  # noqa: S105 - a reason, no secret
    ADDRESS_REFUSED = "address_refused"
    REFUSED = "refused"
    EXPIRED = "expired"


class CustomerMail(Struct, frozen=True):
    """A mail to a customer. Its instants are of real time."""

    id: CustomerMailId
    customer_id: CustomerId
    type: MailType
    occasion: Occasion
    status: MailStatus
    reason: str
    recipient: str
    locale: str
    subject: str
    created_at: datetime
    send_at: datetime
    settled_at: datetime | None


class SuppressionReason(StrEnum):
    """Why an address gets no mails: none at all after it bounced, none but bills otherwise."""

    BOUNCED = "bounced"
    UNSUBSCRIBED = "unsubscribed"


class Suppression(Struct, frozen=True):
    """An address that gets no mails."""

    id: MailSuppressionId
    address: str
    reason: SuppressionReason
    created_at: datetime


class Content(Struct, frozen=True):
    """What a mail says, in one language: plain text throughout, escaped where it is shown."""

    language: Language
    subject: str
    paragraphs: tuple[str, ...]
    rows: tuple[tuple[str, str], ...] = ()
    # What stands on a button, and where it leads.
    button: tuple[str, str] | None = None
