"""Organisations, API keys and what a key's bearer may do."""

from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from monigo.core.ids import ApiKeyId, OrganizationId
from monigo.core.permissions import Scope
from monigo.infra.db import Tenant

ALL_SCOPES = tuple(Scope)


class Organization(Struct, frozen=True):
    """A merchant and the settings its customers are billed by. Rates are percentages.

    With `repeated_trials_enabled` a customer gets a plan's trial on each subscription to it.
    `raw_event_retention_days` is how long events keep their properties; None is for ever. The two
    limits are None where there is none: requests of one key to one process, and events of
    one mode in a calendar month, UTC.
    """

    id: OrganizationId
    name: str
    country: str
    timezone: str
    default_currency: str
    available_currencies: tuple[str, ...]
    vat_enabled: bool
    vat_rate: Decimal
    wht_enabled: bool
    wht_rate: Decimal
    event_ingestion_grace_period_hours: int
    repeated_trials_enabled: bool
    raw_event_retention_days: int | None
    requests_per_second_max: int | None
    monthly_event_quota: int | None
    created_at: datetime
    updated_at: datetime


class OrganizationLimits(Struct, frozen=True):
    """How much an organisation may send; None is as much as it likes."""

    requests_per_second_max: int | None
    monthly_event_quota: int | None


class ApiKey(Struct, frozen=True):
    """A key as it can be shown: the secret itself is known only when it is made."""

    id: ApiKeyId
    org_id: OrganizationId
    name: str
    key_prefix: str
    scopes: tuple[Scope, ...]
    is_test_mode: bool
    expires_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime
    updated_at: datetime

    def is_active(self, now: datetime) -> bool:
        """Whether the key still opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class KeyReference(Struct, frozen=True):
    """Where a presented key belongs; its row decides whether it still counts."""

    tenant: Tenant
    api_key_id: ApiKeyId


class IssuedKey(Struct, frozen=True):
    """A new key together with its secret, which is told once."""

    key: ApiKey
    secret: str
