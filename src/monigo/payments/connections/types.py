"""Connections: merchants' accounts at payment providers, their keys, and how these are answered."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from monigo.core.ids import ConnectionId, ProviderCallId
from monigo.core.money import Money
from monigo.infra.db import Tenant
from monigo.providers.port import Kind, ProviderName

# A webhook that is on its way while a secret is replaced is still verified by the old one.
PREVIOUS_SECRET_VALID_FOR = timedelta(hours=72)


class Purpose(StrEnum):
    """What a connection is used for."""

    COLLECT = "collect"
    PAY_OUT = "pay_out"


class FeeBearer(StrEnum):
    """Who pays the provider's fee of a checkout, where the provider leaves the choice."""

    MERCHANT = "merchant"
    CUSTOMER = "customer"


class HealthState(StrEnum):
    """How a provider answered of late."""

    UNCHECKED = "unchecked"
    HEALTHY = "healthy"
    # No answer came, or one that could not be read.
    FAILING = "failing"
    # The keys were refused.
    UNAUTHORIZED = "unauthorized"


class Health(Struct, frozen=True, kw_only=True):
    """How a provider answered of late, as far as known.

    `otp_on` is whether it asks for a one-time password before it pays out. Instants are real.
    """

    state: HealthState = HealthState.UNCHECKED
    last_success_at: datetime | None = None
    last_error: str = ""
    last_error_at: datetime | None = None
    otp_on: bool | None = None
    balance: tuple[Money, ...] | None = None
    balance_at: datetime | None = None
    webhook_last_at: datetime | None = None


class Witness(Struct, frozen=True):
    """A payment that was made with some keys: other keys that find it are the same account's."""

    kind: Kind
    reference: str


class Credentials(Struct, frozen=True, kw_only=True):
    """What a connection has of one mode; the keys themselves are encrypted."""

    is_test: bool
    keys_ciphertext: bytes
    public_key: str = ""
    contract_code: str = ""
    source_account_number: str = ""
    has_webhook_secret: bool = False
    previous_ciphertext: bytes | None = None
    previous_until: datetime | None = None
    witness: Witness | None = None
    health: Health = Health()

    def __repr__(self) -> str:
        return f"Credentials(is_test={self.is_test})"


class Secrets(Struct, frozen=True):
    """What is encrypted of a mode's keys. `webhook` is empty where the secret key signs."""

    secret_key: str
    webhook: str = ""

    def __repr__(self) -> str:
        return "Secrets(…)"


class Connection(Struct, frozen=True, kw_only=True):
    """A merchant's account at a provider.

    `credentials` has what was loaded, by mode (is_test): both modes, or the transaction's own.
    `is_test_mode` is the mode that its webhook secret and settings are sent for.
    """

    id: ConnectionId
    provider: ProviderName
    label: str
    is_enabled: bool
    is_test_mode: bool
    supported_currencies: tuple[str, ...]
    default_for: Mapping[Purpose, tuple[str, ...]]
    channels: tuple[str, ...]
    fee_bearer: FeeBearer
    provider_options: Mapping[str, Any]
    forward_url: str
    created_at: datetime
    updated_at: datetime
    credentials: Mapping[bool, Credentials] = field(default_factory=dict[bool, Credentials])


class ModeChanges(Struct, frozen=True, kw_only=True):
    """What is to be changed of a mode's credentials; None leaves it as it is."""

    secret_key: str | None = None
    public_key: str | None = None
    webhook_secret: str | None = None
    contract_code: str | None = None
    source_account_number: str | None = None

    @property
    def has_any(self) -> bool:
        """Whether anything is to be changed."""
        return self != ModeChanges()

    def __repr__(self) -> str:
        return "ModeChanges(…)"


class ConnectionChanges(Struct, frozen=True, kw_only=True):
    """What is to be changed of a connection; None leaves it as it is."""

    label: str | None = None
    is_test_mode: bool | None = None
    supported_currencies: tuple[str, ...] | None = None
    default_for: dict[Purpose, tuple[str, ...]] | None = None
    channels: tuple[str, ...] | None = None
    fee_bearer: FeeBearer | None = None
    provider_options: dict[str, Any] | None = None
    forward_url: str | None = None
    test: ModeChanges = ModeChanges()
    live: ModeChanges = ModeChanges()
    # Of the mode that is named, else of those whose keys are changed, else of the usual one.
    shared: ModeChanges = ModeChanges()

    def of_mode(self, *, is_test: bool, usual: bool) -> ModeChanges:
        """What is to be changed of a mode; `usual` is the connection's (is_test)."""
        own = self.test if is_test else self.live
        with_keys = {known for known, one in ((True, self.test), (False, self.live)) if one.has_any}
        named = {usual} if self.is_test_mode is None else {self.is_test_mode}
        modes = named if self.is_test_mode is not None else with_keys or named
        if is_test not in modes or not self.shared.has_any:
            return own
        return replace(
            own,
            webhook_secret=self.shared.webhook_secret,
            contract_code=self.shared.contract_code,
            source_account_number=self.shared.source_account_number,
        )


class NewCredentials(Struct, frozen=True, kw_only=True):
    """A mode's credentials as they are to be stored, with the keys in the clear."""

    secrets: Secrets
    public_key: str = ""
    contract_code: str = ""
    source_account_number: str = ""

    def __repr__(self) -> str:
        return "NewCredentials(…)"


class Saving(Struct, frozen=True, kw_only=True):
    """A connection that is to be made or changed, once the provider has accepted its keys.

    It is kept while the provider is asked, so that the changes are encrypted in it.
    """

    connection_id: ConnectionId
    provider: ProviderName
    is_new: bool
    ciphertext: str


class ConnectionDeletion(Struct, frozen=True):
    """The question whether a connection may be deleted; asked in both modes.

    Guards refuse where something of the transaction's mode is not final, or needs the connection.
    """

    connection_id: ConnectionId


class ProviderCall(Struct, frozen=True, kw_only=True):
    """An HTTP call that was made with a connection's keys, without secrets."""

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
    called_at: datetime


class Accepted(Struct, frozen=True, kw_only=True):
    """What a provider said when a mode's keys were shown to it; nothing where it was not asked."""

    health: Health | None = None
    calls: tuple[ProviderCall, ...] = ()


class WebhookSecrets(Struct, frozen=True):
    """The secrets by which webhooks of a connection's mode are verified, the present one first."""

    tenant: Tenant
    connection_id: ConnectionId
    secrets: tuple[str, ...]

    def __repr__(self) -> str:
        return "WebhookSecrets(…)"
