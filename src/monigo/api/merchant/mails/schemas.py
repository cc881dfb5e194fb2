"""Mails to customers on the wire."""

from typing import Annotated, Self

from msgspec import Meta

from monigo.api.kernel.wire.outgoing import Instant, ListEnvelope, Outgoing
from monigo.core.ids import CustomerId, CustomerMailId, MailSuppressionId
from monigo.infra.languages import Language
from monigo.infra.mail import Mail
from monigo.notifications.mails import CustomerMail, MailStatus, Suppression, SuppressionReason
from monigo.tenancy import MailType


class CustomerMailOut(Outgoing, frozen=True):
    """A mail to a customer. Its instants are of real time."""

    id: CustomerMailId
    customer_id: CustomerId
    type: MailType
    status: MailStatus
    reason: Annotated[str, Meta(description="why it was not sent", examples=["unsubscribed"])]
    recipient: str
    locale: Annotated[str, Meta(description="the language that it is written in")]
    subject: str
    created_at: Instant
    send_at: Annotated[
        Instant, Meta(description="later than `created_at` where the customer gets many in an hour")
    ]
    settled_at: Annotated[
        Instant | None, Meta(description="when it was sent, or known that it is not")
    ]

    @classmethod
    def of(cls, mail: CustomerMail) -> Self:
        """The wire form."""
        return cls(
            id=mail.id,
            customer_id=mail.customer_id,
            type=mail.type,
            status=mail.status,
            reason=mail.reason,
            recipient=mail.recipient,
            locale=mail.locale,
            subject=mail.subject,
            created_at=mail.created_at,
            send_at=mail.send_at,
            settled_at=mail.settled_at,
        )


class CustomerMailList(ListEnvelope, frozen=True):
    """Mails to customers, newest first."""

    customer_mails: list[CustomerMailOut]


class MailPreviewOut(Outgoing, frozen=True):
    """What a type of mail says in a language, with made-up data."""

    type: MailType
    locale: Annotated[str, Meta(description="the language that it is written in")]
    direction: Annotated[str, Meta(description="`ltr` or `rtl`")]
    sender_name: str
    reply_to: str
    can_be_stopped: Annotated[bool, Meta(description="it has a link that stops such mails")]
    subject: str
    text: str
    html: str

    @classmethod
    def of(cls, mail_type: MailType, language: Language, mail: Mail) -> Self:
        """The wire form."""
        return cls(
            type=mail_type,
            locale=language.code,
            direction="rtl" if language.is_from_right else "ltr",
            sender_name=mail.sender_name,
            reply_to=mail.reply_to,
            can_be_stopped=bool(mail.unsubscribe_url),
            subject=mail.subject,
            text=mail.text,
            html=mail.html,
        )


class MailPreviewEnvelope(Outgoing, frozen=True):
    """One preview."""

    mail_preview: MailPreviewOut


class MailSuppressionOut(Outgoing, frozen=True):
    """An address that gets no mails: none after it bounced, none but bills if unsubscribed."""

    id: MailSuppressionId
    address: str
    reason: SuppressionReason
    created_at: Instant

    @classmethod
    def of(cls, suppression: Suppression) -> Self:
        """The wire form."""
        return cls(
            id=suppression.id,
            address=suppression.address,
            reason=suppression.reason,
            created_at=suppression.created_at,
        )


class MailSuppressionList(ListEnvelope, frozen=True):
    """Addresses that get no mails, newest first."""

    mail_suppressions: list[MailSuppressionOut]
