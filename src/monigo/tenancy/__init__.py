"""Organisations, their modes and settings, and the API keys that act for them."""

from monigo.core.permissions import Scope
from monigo.tenancy import events
from monigo.tenancy.key_finder import KeyFinder
from monigo.tenancy.limits import Limits
from monigo.tenancy.rules import SECRET_LENGTH, is_country, is_currency
from monigo.tenancy.service import (
    authorize,
    create_organization,
    get_keys,
    get_organization,
    issue_key,
    list_keys,
    principal_of,
    principals,
    refusal_of,
    revoke_key,
    unauthenticated,
    update_organization,
)
from monigo.tenancy.settings import (
    SETTINGS,
    BillingSettings,
    LimitSettings,
    RetentionSettings,
    Setting,
)
from monigo.tenancy.types import (
    ALL_SCOPES,
    ApiKey,
    IssuedKey,
    KeyReference,
    Organization,
)
from monigo.tenancy.verification import organizations_to_verify, verify

__all__ = [
    "ALL_SCOPES",
    "SECRET_LENGTH",
    "SETTINGS",
    "ApiKey",
    "BillingSettings",
    "IssuedKey",
    "KeyFinder",
    "KeyReference",
    "LimitSettings",
    "Limits",
    "Organization",
    "RetentionSettings",
    "Scope",
    "Setting",
    "authorize",
    "create_organization",
    "events",
    "get_keys",
    "get_organization",
    "is_country",
    "is_currency",
    "issue_key",
    "list_keys",
    "organizations_to_verify",
    "principal_of",
    "principals",
    "refusal_of",
    "revoke_key",
    "unauthenticated",
    "update_organization",
    "verify",
]
