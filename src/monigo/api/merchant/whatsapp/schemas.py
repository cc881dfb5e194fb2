"""WhatsApp on the wire. The token and secrets come in, and never go out."""

from typing import Annotated, Any, Self

from msgspec import Meta
from pydantic import ConfigDict, Field

from monigo.api.kernel.changes import Changes
from monigo.api.kernel.wire.incoming import Incoming, Name, Text
from monigo.api.kernel.wire.outgoing import Instant, ListEnvelope, Outgoing
from monigo.core.ids import CustomerId, WhatsAppConnectionId, WhatsAppMessageId
from monigo.infra.db import Transaction
from monigo.notifications import whatsapp
from monigo.notifications.whatsapp import (
    Connection,
    Message,
    NewConnection,
    Notice,
    NoticeChanges,
    Secrets,
    Settings,
)


class WhatsAppConnectIn(Incoming):
    """A number at the Cloud API, and what it is used by."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "phone_number_id": "106540352242922",
                    "business_account_id": "102290129340398",
                    "access_token": "EAAJB…",
                    "app_secret": "0123456789abcdef0123456789abcdef",
                    "verify_token": "chosen-by-you",
                }
            ]
        }
    )

    phone_number_id: Name = Field(description="of the number, as Meta's dashboard shows it")
    business_account_id: Name = Field(description="of the WhatsApp Business account")
    access_token: Text = Field(
        description="a permanent one of a system user, with `whatsapp_business_messaging`"
    )
    app_secret: Name = Field(description="of the app that the token is of; it signs webhooks")
    verify_token: Name = Field(
        description="a word of your choice, to be entered beside the webhook's address as well"
    )

    def wanted(self) -> NewConnection:
        """What is to be connected."""
        return NewConnection(
            phone_number_id=self.phone_number_id,
            business_account_id=self.business_account_id,
            secrets=Secrets(
                access_token=self.access_token,
                app_secret=self.app_secret,
                verify_token=self.verify_token,
            ),
        )


class WhatsAppPairingCodeIn(Incoming):
    """A phone that a code is asked for."""

    phone: Name | None = Field(default=None, examples=["+2348031234567"])


class WhatsAppTestIn(Incoming):
    """To whom a test message goes."""

    customer_id: Name = Field(
        description="the customer's id or external_id", examples=["driver-42"]
    )


class WhatsAppNoticeIn(Incoming):
    """Changes of a notice; what is not sent stays as it is."""

    enabled: bool | None = None
    template: Name | None = Field(
        default=None, description="the template's name", examples=["invoice_finalized"]
    )
    languages: list[Name] | None = Field(
        default=None,
        description="in which WhatsApp has approved it, the usual one first",
        examples=[["en", "fr"]],
    )

    def changes(self) -> NoticeChanges:
        """What is to be changed."""
        languages = None if self.languages is None else tuple(self.languages)
        return NoticeChanges(enabled=self.enabled, template=self.template, languages=languages)


# More than there are kinds of notices; unknown ones are refused by name.
SETTINGS_MAX = 100


class WhatsAppSettingsIn(Incoming):
    """Which notices go by WhatsApp; those that are not named stay as they are."""

    settings: dict[Name, WhatsAppNoticeIn | bool] = Field(
        max_length=SETTINGS_MAX,
        description="by the notice's name: true, false, or an object",
        examples=[{"invoice_finalized": {"enabled": True, "languages": ["en"]}, "receipt": True}],
    )

    def changes(self) -> dict[str, NoticeChanges]:
        """What is to be changed, by the notice's name."""
        return {
            name: NoticeChanges(enabled=one) if isinstance(one, bool) else one.changes()
            for name, one in self.settings.items()
        }


class WhatsAppConnectionOut(Outgoing, frozen=True):
    """The number that messages come from."""

    id: WhatsAppConnectionId
    status: Annotated[str, Meta(description="connected, or failing where somebody must mend it")]
    phone_number_id: str
    business_account_id: str
    phone: Annotated[str, Meta(examples=["+234 803 555 0100"])]
    verified_name: str
    last_success_at: Instant | None
    last_error: str
    last_error_at: Instant | None
    webhook_last_at: Annotated[
        Instant | None, Meta(description="null: no webhook came, so statuses are not known")
    ]
    connected_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, connection: Connection) -> Self:
        """The wire form."""
        is_healthy = connection.health is whatsapp.Health.HEALTHY
        return cls(
            id=connection.id,
            status="connected" if is_healthy else "failing",
            phone_number_id=connection.phone_number_id,
            business_account_id=connection.business_account_id,
            phone=connection.display_number,
            verified_name=connection.verified_name,
            last_success_at=connection.last_success_at,
            last_error=connection.last_error,
            last_error_at=connection.last_error_at,
            webhook_last_at=connection.webhook_last_at,
            connected_at=connection.connected_at,
            updated_at=connection.updated_at,
        )


class WhatsAppConnectionEnvelope(Outgoing, frozen=True):
    """The connection; null where no number is connected."""

    connected: bool
    connection: WhatsAppConnectionOut | None

    @classmethod
    def of(cls, connection: Connection | None) -> Self:
        """The wire form."""
        shown = None if connection is None else WhatsAppConnectionOut.of(connection)
        return cls(connected=connection is not None, connection=shown)


class WhatsAppNoticeOut(Outgoing, frozen=True):
    """Whether a kind of notice goes by WhatsApp, and by which template."""

    enabled: bool
    template: str
    languages: tuple[str, ...]
    parameters: Annotated[
        tuple[str, ...], Meta(description="what the template's {{1}}, {{2}} and so on are")
    ]

    @classmethod
    def of(cls, notice: Notice, parameters: tuple[str, ...]) -> Self:
        """The wire form."""
        return cls(notice.enabled, notice.template, notice.languages, parameters)


class WhatsAppSettingsEnvelope(Outgoing, frozen=True):
    """Which notices go by WhatsApp, by their names."""

    settings: dict[str, WhatsAppNoticeOut]

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The wire form."""
        return cls(
            {
                kind.value: WhatsAppNoticeOut.of(notice, whatsapp.PARAMETERS[kind])
                for kind, notice in settings.notices.items()
            }
        )


class WhatsAppMessageLogOut(Outgoing, frozen=True):
    """A message, and what became of it."""

    id: WhatsAppMessageId
    customer_id: CustomerId
    type: Annotated[str, Meta(description="the notice's name, or test")]
    status: Annotated[
        str,
        Meta(
            description="waiting, sending, unknown (no answer came), accepted, sent, delivered,"
            " read or failed"
        ),
    ]
    phone: str
    template: str
    language: str
    parameters: tuple[str, ...]
    whatsapp_message_id: str
    attempts: int
    error_code: Annotated[int | None, Meta(description="WhatsApp's")]
    error_message: str
    created_at: Instant
    accepted_at: Instant | None
    sent_at: Instant | None
    delivered_at: Instant | None
    read_at: Instant | None
    failed_at: Instant | None
    fell_back_at: Annotated[
        Instant | None, Meta(description="when a mail was asked for in its place")
    ]

    @classmethod
    def of(cls, message: Message) -> Self:
        """The wire form."""
        return cls(
            id=message.id,
            customer_id=message.customer_id,
            type=message.type,
            status=message.status.value,
            phone=message.phone,
            template=message.template,
            language=message.language,
            parameters=message.parameters,
            whatsapp_message_id=message.whatsapp_id,
            attempts=message.attempts,
            error_code=message.error_code,
            error_message=message.reason,
            created_at=message.created_at,
            accepted_at=message.accepted_at,
            sent_at=message.sent_at,
            delivered_at=message.delivered_at,
            read_at=message.read_at,
            failed_at=message.failed_at,
            fell_back_at=message.fell_back_at,
        )


class WhatsAppMessageLogList(ListEnvelope, frozen=True):
    """Messages."""

    message_logs: list[WhatsAppMessageLogOut]


class WhatsAppTestEnvelope(Outgoing, frozen=True):
    """A test message that WhatsApp took, or of which it did not answer."""

    message: str
    message_log: WhatsAppMessageLogOut


def _connection_of(_tx: Transaction, connection: Connection) -> WhatsAppConnectionOut:
    return WhatsAppConnectionOut.of(connection)


def _settings_of(_tx: Transaction, settings: Settings) -> WhatsAppSettingsEnvelope:
    return WhatsAppSettingsEnvelope.of(settings)


def _message_of(_tx: Transaction, message: Message) -> WhatsAppMessageLogOut:
    return WhatsAppMessageLogOut.of(message)


def _organization(tx: Transaction, _settings: Any) -> Any:
    return tx.org_id


CONNECTION = Changes("whatsapp_connection", Connection, _connection_of)
SETTINGS = Changes("whatsapp_settings", Settings, _settings_of, id_of=_organization)
MESSAGE = Changes("whatsapp_message", Message, _message_of)
