"""Organisations, API keys and what a key's bearer may do."""

from datetime import datetime

from msgspec import Struct

from monigo.core.access import Scope
from monigo.core.ids import ApiKeyId, OrganizationId
from monigo.infra.db import Tenant
from monigo.tenancy.settings import (
    AccessSettings,
    BillingSettings,
    CollectionSettings,
    LimitSettings,
    MailSettings,
    PayoutSettings,
    RetentionSettings,
)

ALL_SCOPES = tuple(Scope)


class Organization(Struct, frozen=True):
    """A merchant, and its settings in their groups."""

    id: OrganizationId
    name: str
    country: str
    billing: BillingSettings
    retention: RetentionSettings
    limits: LimitSettings
    access: AccessSettings
    collection: CollectionSettings
    payouts: PayoutSettings
    mails: MailSettings
    created_at: datetime
    updated_at: datetime
    # Since when it may only read.
    suspended_at: datetime | None = None


class NewOrganization(Struct, frozen=True):
    """What is decided when an organisation is made; all else is as usual."""

    name: str
    country: str = "NG"
    billing: BillingSettings = BillingSettings()


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
    disabled_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime
    updated_at: datetime
    # Its organisation may only read.
    is_suspended: bool = False

    def is_active(self, now: datetime) -> bool:
        """Whether the key opens anything now."""
        is_on = self.revoked_at is None and self.disabled_at is None
        return is_on and (self.expires_at is None or now < self.expires_at)

    def is_unrestricted(self, now: datetime) -> bool:
        """Whether the key may do now all that its scopes say."""
        return self.is_active(now) and not self.is_suspended


class KeyReference(Struct, frozen=True):
    """Where a presented key belongs; its row decides whether it still counts."""

    tenant: Tenant
    api_key_id: ApiKeyId


class IssuedKey(Struct, frozen=True):
    """A new key together with its secret, which is shown once."""

    key: ApiKey
    secret: str
