"""Payment connections on the wire. Keys and secrets come in, and never go out."""

from typing import Any, Self

from msgspec.structs import replace
from pydantic import ConfigDict, Field

from monigo.api.kernel.changes import Changes
from monigo.api.kernel.wire.incoming import Incoming, Metadata, Name
from monigo.api.kernel.wire.outgoing import FreeForm, Instant, ListEnvelope, Money, Outgoing
from monigo.core.ids import ConnectionId, OrganizationId, ProviderCallId
from monigo.core.money import format_money
from monigo.infra.db import Transaction
from monigo.payments.connections import (
    Connection,
    ConnectionChanges,
    Credentials,
    FeeBearer,
    Health,
    HealthState,
    ModeChanges,
    ProviderCall,
    Purpose,
)
from monigo.providers.port import Capabilities

KEYS = "of the provider's dashboard; the provider is asked whether it is right"


class SettingsIn(Incoming):
    """What Monnify's requests need beside the keys."""

    contract_code: Name | None = Field(default=None, examples=["4934121686"])
    source_account_number: Name | None = Field(
        default=None,
        description="the wallet that payouts are made from",
        examples=["3934178936"],
    )


class DefaultForIn(Incoming):
    """For which currencies a connection is preferred to others."""

    collect: list[Name] | None = Field(default=None, examples=[["NGN"]])
    pay_out: list[Name] | None = Field(default=None, examples=[["NGN"]])


class ConnectionUpdate(Incoming):
    """Changes of a connection; what is not sent stays as it is."""

    label: Name | None = None
    is_test_mode: bool | None = Field(
        default=None,
        description="of which mode webhook_signing_secret and settings are; unset: of the modes"
        " whose keys are sent",
    )
    test_public_key: Name | None = Field(default=None, examples=["pk_test_0123456789"])
    test_secret_key: Name | None = Field(default=None, description=KEYS)
    live_public_key: Name | None = Field(default=None, examples=["pk_live_0123456789"])
    live_secret_key: Name | None = Field(default=None, description=KEYS)
    webhook_signing_secret: Name | None = Field(
        default=None,
        description="Flutterwave's secret hash; Paystack and Monnify sign by the secret key. The"
        " one before is valid for 72 hours more.",
    )
    supported_currencies: list[Name] | None = Field(
        default=None, description="unset: what the provider has for the organisation's country"
    )
    settings: SettingsIn | None = None
    default_for: DefaultForIn | None = Field(
        default=None, description="unset: the currencies that have no other default yet"
    )
    channels: list[Name] | None = Field(
        default=None,
        description="the provider's names of ways to pay; empty: all of them",
        examples=[["card", "bank_transfer"]],
    )
    fee_bearer: FeeBearer | None = None
    provider_options: Metadata = Field(
        default=None, description="sent with each checkout and charge, as they are"
    )
    forward_url: Name | None = Field(
        default=None, description="gets each webhook of the provider's, too, as it came"
    )

    def changes(self) -> ConnectionChanges:
        """What is to be changed; an empty key is one that was not sent."""
        wanted = self.default_for
        named = None
        if wanted is not None:
            lists = {Purpose.COLLECT: wanted.collect, Purpose.PAY_OUT: wanted.pay_out}
            named = {purpose: tuple(codes) for purpose, codes in lists.items() if codes is not None}
        settings = self.settings or SettingsIn()
        return ConnectionChanges(
            label=self.label,
            is_test_mode=self.is_test_mode,
            supported_currencies=_several(self.supported_currencies),
            default_for=named,
            channels=_several(self.channels),
            fee_bearer=self.fee_bearer,
            provider_options=self.given("provider_options").get("provider_options"),
            forward_url=self.forward_url,
            test=ModeChanges(
                secret_key=self.test_secret_key or None, public_key=self.test_public_key or None
            ),
            live=ModeChanges(
                secret_key=self.live_secret_key or None, public_key=self.live_public_key or None
            ),
            shared=ModeChanges(
                webhook_secret=self.webhook_signing_secret or None,
                contract_code=settings.contract_code,
                source_account_number=settings.source_account_number,
            ),
        )


class ConnectionIn(ConnectionUpdate):
    """An account at a payment provider, with its keys of one mode or both."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "provider": "paystack",
                    "label": "Paystack",
                    "test_public_key": "pk_test_0123456789",
                    "test_secret_key": "sk_test_0123456789",
                    "supported_currencies": ["NGN"],
                }
            ]
        }
    )

    provider: Name = Field(examples=["paystack"])


def _several(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(dict.fromkeys(values))


class SettingsOut(Outgoing, frozen=True):
    """What Monnify's requests need beside the keys; empty where it is not set."""

    contract_code: str
    source_account_number: str


class HealthOut(Outgoing, frozen=True):
    """How the provider answered of late. The balance is by currency."""

    state: HealthState
    last_success_at: Instant | None
    last_error: str
    last_error_at: Instant | None
    otp_on: bool | None
    balance: dict[str, Money] | None
    balance_at: Instant | None
    webhook_last_at: Instant | None

    @classmethod
    def of(cls, health: Health) -> Self:
        """The wire form."""
        balance = health.balance
        return cls(
            state=health.state,
            last_success_at=health.last_success_at,
            last_error=health.last_error,
            last_error_at=health.last_error_at,
            otp_on=health.otp_on,
            balance=None
            if balance is None
            else {one.currency: format_money(one.amount) for one in balance},
            balance_at=health.balance_at,
            webhook_last_at=health.webhook_last_at,
        )


class CredentialsOut(Outgoing, frozen=True):
    """What a connection has of one mode, without what is secret."""

    public_key: str
    has_webhook_signing_secret: bool
    previous_secret_until: Instant | None
    settings: SettingsOut
    health: HealthOut

    @classmethod
    def of(cls, credentials: Credentials) -> Self:
        """The wire form."""
        return cls(
            public_key=credentials.public_key,
            has_webhook_signing_secret=credentials.has_webhook_secret,
            previous_secret_until=credentials.previous_until,
            settings=SettingsOut(
                contract_code=credentials.contract_code,
                source_account_number=credentials.source_account_number,
            ),
            health=HealthOut.of(credentials.health),
        )


class DefaultForOut(Outgoing, frozen=True):
    """For which currencies a connection is preferred to others."""

    collect: tuple[str, ...]
    pay_out: tuple[str, ...]


class ConnectionOut(Outgoing, frozen=True):
    """A connection. `settings` and `health` are those of the request's mode, null without keys."""

    id: ConnectionId
    org_id: OrganizationId
    provider: str
    label: str
    is_enabled: bool
    is_test_mode: bool
    supported_currencies: tuple[str, ...]
    default_for: DefaultForOut
    channels: tuple[str, ...]
    fee_bearer: FeeBearer
    provider_options: FreeForm
    forward_url: str
    webhook_path: str
    test_public_key: str
    live_public_key: str
    has_test_keys: bool
    has_live_keys: bool
    settings: SettingsOut | None
    health: HealthOut | None
    test: CredentialsOut | None
    live: CredentialsOut | None
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, tx: Transaction, connection: Connection) -> Self:
        """The wire form."""
        test, live = (_credentials(connection, is_test=is_test) for is_test in (True, False))
        own = test if tx.is_test else live
        return cls(
            id=connection.id,
            org_id=tx.org_id,
            provider=connection.provider.value,
            label=connection.label,
            is_enabled=connection.is_enabled,
            is_test_mode=connection.is_test_mode,
            supported_currencies=connection.supported_currencies,
            default_for=DefaultForOut(
                collect=connection.default_for.get(Purpose.COLLECT, ()),
                pay_out=connection.default_for.get(Purpose.PAY_OUT, ()),
            ),
            channels=connection.channels,
            fee_bearer=connection.fee_bearer,
            provider_options=connection.provider_options,
            forward_url=connection.forward_url,
            webhook_path=f"/webhooks/{connection.provider}/{tx.org_id}",
            test_public_key=test.public_key if test else "",
            live_public_key=live.public_key if live else "",
            has_test_keys=test is not None,
            has_live_keys=live is not None,
            settings=own.settings if own else None,
            health=own.health if own else None,
            test=test,
            live=live,
            created_at=connection.created_at,
            updated_at=connection.updated_at,
        )


def _credentials(connection: Connection, *, is_test: bool) -> CredentialsOut | None:
    found = connection.credentials.get(is_test)
    return None if found is None else CredentialsOut.of(found)


def _audited(tx: Transaction, connection: Connection) -> ConnectionOut:
    """A connection without its health, which nobody changes."""
    unchecked = {
        is_test: replace(one, health=Health()) for is_test, one in connection.credentials.items()
    }
    return ConnectionOut.of(tx, replace(connection, credentials=unchecked))


PAYMENT_CONNECTION = Changes("payment_connection", Connection, _audited, is_of_mode=False)


class ConnectionEnvelope(Outgoing, frozen=True):
    """One connection."""

    payment_connection: ConnectionOut


class ConnectionList(ListEnvelope, frozen=True):
    """Connections, newest first."""

    payment_connections: list[ConnectionOut]


class ProviderCurrencies(Outgoing, frozen=True):
    """What a provider can do, and in which currencies; what is not among its verbs it can't."""

    provider: str
    currencies: tuple[str, ...]
    collect: tuple[str, ...]
    pay_out: tuple[str, ...]
    virtual_accounts: tuple[str, ...]
    verbs: tuple[str, ...]

    @classmethod
    def of(cls, provider: Capabilities, collect: tuple[str, ...], pay_out: tuple[str, ...]) -> Self:
        """The wire form."""
        return cls(
            provider=provider.name.value,
            currencies=tuple(sorted({*collect, *pay_out})),
            collect=collect,
            pay_out=pay_out,
            virtual_accounts=provider.virtual_accounts,
            verbs=tuple(sorted(verb.value for verb in provider.verbs)),
        )


class CallOut(Outgoing, frozen=True):
    """A request to the provider, and what came back; a status or a fault.

    Tokens, secrets, cards, and account numbers but their last four digits are left out.
    """

    id: ProviderCallId
    connection_id: ConnectionId
    verb: str
    method: str
    path: str
    reference: str
    status: int | None
    fault: str
    milliseconds: int
    sent: str
    received: str
    created_at: Instant

    @classmethod
    def of(cls, call: ProviderCall) -> Self:
        """The wire form."""
        names: tuple[str, ...] = (*cls.__struct_fields__[:-1],)
        values: dict[str, Any] = {name: getattr(call, name) for name in names}
        return cls(**values, created_at=call.called_at)


class CallList(ListEnvelope, frozen=True):
    """Calls of the last thirty days, newest first."""

    calls: list[CallOut]
