"""Organisations, their modes and settings, and the API keys that act for them."""

from monigo.tenancy.key_finder import KeyFinder
from monigo.tenancy.limits import Limits
from monigo.tenancy.rules import SECRET_LENGTH, is_country, is_currency
from monigo.tenancy.service import (
    authorize,
    create_organization,
    get_organization,
    issue_key,
    list_keys,
    refusals,
    revoke_key,
    unauthenticated,
    update_organization,
)
from monigo.tenancy.types import (
    ALL_SCOPES,
    ApiKey,
    IssuedKey,
    KeyReference,
    Organization,
    OrganizationLimits,
    Scope,
)

__all__ = [
    "ALL_SCOPES",
    "SECRET_LENGTH",
    "ApiKey",
    "IssuedKey",
    "KeyFinder",
    "KeyReference",
    "Limits",
    "Organization",
    "OrganizationLimits",
    "Scope",
    "authorize",
    "create_organization",
    "get_organization",
    "is_country",
    "is_currency",
    "issue_key",
    "list_keys",
    "refusals",
    "revoke_key",
    "unauthenticated",
    "update_organization",
]
