"""Access: who acts (principals, e-mails), and what callers may do (permissions, scopes, roles)."""

from monigo.core.access.emails import email_fault, spelled
from monigo.core.access.permissions import (
    GRANTS,
    OF_PERSONS,
    OF_PORTALS,
    SENSITIVE,
    Permission,
    Role,
    Scope,
    only_reading,
    permissions_of,
    permissions_of_role,
    permissions_within_limit,
    scopes_of,
)
from monigo.core.access.principals import (
    Principal,
    PrincipalKind,
    api_key,
    person,
    portal,
    system,
)

__all__ = [
    "GRANTS",
    "OF_PERSONS",
    "OF_PORTALS",
    "SENSITIVE",
    "Permission",
    "Principal",
    "PrincipalKind",
    "Role",
    "Scope",
    "api_key",
    "email_fault",
    "only_reading",
    "permissions_of",
    "permissions_of_role",
    "permissions_within_limit",
    "person",
    "portal",
    "scopes_of",
    "spelled",
    "system",
]
