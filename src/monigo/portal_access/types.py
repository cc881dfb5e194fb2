"""Portal tokens: what opens a customer's portal."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from monigo.core.ids import CustomerId, PortalTokenId
from monigo.infra.db import Tenant


class TokenKind(StrEnum):
    """How long a token is meant to be of use."""

    # Sent to a customer; listed, and revoked by hand.
    LINK = "link"
    # Opened by a merchant's page for one visit; not listed, and soon over.
    SESSION = "session"


class Access(StrEnum):
    """What the holder of a token may do."""

    READ = "read"
    FULL = "full"


class PortalToken(Struct, frozen=True):
    """A token of one customer's portal. `secret_ciphertext` is the token itself, encrypted.

    `expires_at` is None for one that stays until it is revoked. Times are real ones.
    """

    id: PortalTokenId
    customer_id: CustomerId
    kind: TokenKind
    access: Access
    label: str
    secret_ciphertext: bytes
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime
    updated_at: datetime

    def is_active(self, now: datetime) -> bool:
        """Whether it opens the portal at an instant."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class NewToken(Struct, frozen=True):
    """A token that is asked for."""

    label: str = ""
    access: Access = Access.FULL
    expires_at: datetime | None = None
    kind: TokenKind = TokenKind.LINK


class IssuedToken(Struct, frozen=True):
    """A new token with its secret."""

    token: PortalToken
    secret: str


class TokenReference(Struct, frozen=True):
    """Where a presented token belongs. Whether it still counts is checked in each transaction."""

    tenant: Tenant
    token_id: PortalTokenId
