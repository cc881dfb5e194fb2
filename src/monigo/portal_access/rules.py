"""Pure rules of portal tokens."""

import hashlib
from datetime import datetime, timedelta

from monigo.core.access import OF_PORTALS, Permission, only_reading
from monigo.portal_access.types import Access, NewToken, TokenKind

# 256 random bits as hex.
SECRET_BYTES = 32
SECRET_LENGTH = 2 * SECRET_BYTES
LABEL_LENGTH_MAX = 200
# A link lasts a quarter of a year unless another end is asked for.
LINK_LASTS = timedelta(days=90)
# Of one customer, not revoked; a leak of creations can't fill the table.
LINKS_MAX = 1_000
# What a merchant's page needs for one visit.
SESSION_SECONDS_MIN, SESSION_SECONDS_MAX, SESSION_SECONDS = 60, 3_600, 900


def secret_hash(secret: str) -> bytes:
    """By what a token is found. The secret has 256 random bits, so a hash can't be reversed."""
    return hashlib.sha256(secret.encode()).digest()


def looks_like_secret(text: str) -> bool:
    """Whether a text may be a token at all."""
    return len(text) == SECRET_LENGTH and all(one in "0123456789abcdef" for one in text)


def faults_of(wanted: NewToken, now: datetime) -> dict[str, str]:
    """What is wrong with a token that is asked for, by field."""
    faults: dict[str, str] = {}
    if len(wanted.label) > LABEL_LENGTH_MAX:
        faults["label"] = f"must have at most {LABEL_LENGTH_MAX} characters"
    if wanted.expires_at is not None and wanted.expires_at <= now:
        faults["expires_at"] = "must lie in the future"
    if wanted.kind is TokenKind.SESSION and wanted.expires_at is None:
        faults["expires_at"] = "is required of a session"
    return faults


def permissions_of(access: Access, *, is_suspended: bool) -> frozenset[Permission]:
    """What the holder of a token may do; only reading, while the organisation is suspended."""
    if access is Access.READ or is_suspended:
        return only_reading(OF_PORTALS)
    return OF_PORTALS
