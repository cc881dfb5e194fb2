"""Organisations, their modes and settings, and the API keys that act for them."""

from monigo.core.access import Scope
from monigo.tenancy import events
from monigo.tenancy.key_finder import KeyFinder
from monigo.tenancy.key_use import KeyUse
from monigo.tenancy.limits import Limits
from monigo.tenancy.rules import SECRET_LENGTH, is_country, is_currency
from monigo.tenancy.service import (
    activate_organization,
    add_key,
    add_organization,
    authorize,
    create_organization,
    end_key,
    get_keys,
    get_organization,
    issue_key,
    keys_of,
    list_keys,
    organization_suspended,
    people_only,
    principal_of,
    refusal_of,
    require_active,
    revoke_key,
    suspend_organization,
    toggle_key,
    unauthenticated,
    update_organization,
)
from monigo.tenancy.settings import (
    SETTINGS,
    AccessSettings,
    BillingSettings,
    LimitSettings,
    RetentionSettings,
    Setting,
)
from monigo.tenancy.store import bound_to
from monigo.tenancy.types import (
    ALL_SCOPES,
    ApiKey,
    IssuedKey,
    KeyReference,
    NewOrganization,
    Organization,
)
from monigo.tenancy.verification import organizations_to_verify, verify

__all__ = [
    "ALL_SCOPES",
    "SECRET_LENGTH",
    "SETTINGS",
    "AccessSettings",
    "ApiKey",
    "BillingSettings",
    "IssuedKey",
    "KeyFinder",
    "KeyReference",
    "KeyUse",
    "LimitSettings",
    "Limits",
    "NewOrganization",
    "Organization",
    "RetentionSettings",
    "Scope",
    "Setting",
    "activate_organization",
    "add_key",
    "add_organization",
    "authorize",
    "bound_to",
    "create_organization",
    "end_key",
    "events",
    "get_keys",
    "get_organization",
    "is_country",
    "is_currency",
    "issue_key",
    "keys_of",
    "list_keys",
    "organization_suspended",
    "organizations_to_verify",
    "people_only",
    "principal_of",
    "refusal_of",
    "require_active",
    "revoke_key",
    "suspend_organization",
    "toggle_key",
    "unauthenticated",
    "update_organization",
    "verify",
]
