"""Who may open a customer's portal: tokens in links, and sessions of a merchant's page."""

from monigo.portal_access import events
from monigo.portal_access.finder import PortalTokens
from monigo.portal_access.rules import (
    LABEL_LENGTH_MAX,
    LINK_LASTS,
    SESSION_SECONDS,
    SESSION_SECONDS_MAX,
    SESSION_SECONDS_MIN,
)
from monigo.portal_access.service import (
    authorize,
    get,
    issue,
    list_page,
    revoke,
    secret_of,
    unauthenticated,
)
from monigo.portal_access.types import (
    Access,
    IssuedToken,
    NewToken,
    PortalToken,
    TokenKind,
    TokenReference,
)
from monigo.portal_access.verification import verify

__all__ = [
    "LABEL_LENGTH_MAX",
    "LINK_LASTS",
    "SESSION_SECONDS",
    "SESSION_SECONDS_MAX",
    "SESSION_SECONDS_MIN",
    "Access",
    "IssuedToken",
    "NewToken",
    "PortalToken",
    "PortalTokens",
    "TokenKind",
    "TokenReference",
    "authorize",
    "events",
    "get",
    "issue",
    "list_page",
    "revoke",
    "secret_of",
    "unauthenticated",
    "verify",
]
