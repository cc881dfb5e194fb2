"""Rules of endpoints: which types they want, what a secret is, and when they are given up. Pure."""

import base64
import binascii
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from monigo.webhooks.endpoints.types import DisabledReason, Endpoint
from monigo.webhooks.types import EventType

# So long a merchant has to give its receiver the new secret.
PREVIOUS_SECRET_VALID_FOR = timedelta(hours=72)
# An endpoint that took nothing for so long is disabled.
FAILING_FOR_MAX = timedelta(days=3)
SECRET_PREFIX = "whsec_"  # noqa: S105 - how secrets begin, not one of them
# As the Standard Webhooks specification has it.
SECRET_BYTES_MIN, SECRET_BYTES_MAX = 24, 64
# Of a secret that a merchant made in another form.
PLAIN_LENGTH_MIN, PLAIN_LENGTH_MAX = 16, 200
# As many as there are types, and some beginnings of them.
EVENTS_MAX = 100
EVERYTHING = "*"
WILDCARD = ".*"


def wants(events: Iterable[str], name: str) -> bool:
    """Whether one of these names or beginnings is a type's."""
    return any(
        one in (EVERYTHING, name) or (one.endswith(WILDCARD) and name.startswith(one[:-1]))
        for one in events
    )


def events_fault(events: Sequence[str]) -> str:
    """What is wrong with the types that an endpoint is to want; empty where nothing is."""
    if not 1 <= len(events) <= EVENTS_MAX:
        return f"must name 1 to {EVENTS_MAX} types, or *"
    unknown = [one for one in events if not any(wants([one], known) for known in EventType)]
    if unknown:
        return f"has no type called {unknown[0][:100]}"
    return ""


def secret_fault(secret: str) -> str:
    """What is wrong with a secret that a merchant chose; empty where nothing is."""
    if secret.startswith(SECRET_PREFIX):
        decoded = _decoded(secret)
        if decoded is None or not SECRET_BYTES_MIN <= len(decoded) <= SECRET_BYTES_MAX:
            bounds = f"{SECRET_BYTES_MIN} to {SECRET_BYTES_MAX}"
            return f"must be {SECRET_PREFIX} and {bounds} bytes as base64"
        return ""
    is_plain = secret.isascii() and secret.isprintable() and " " not in secret
    if not is_plain or not PLAIN_LENGTH_MIN <= len(secret) <= PLAIN_LENGTH_MAX:
        return f"must have {PLAIN_LENGTH_MIN} to {PLAIN_LENGTH_MAX} letters, digits or signs"
    return ""


def secret_of(random: bytes) -> str:
    """A secret of random bytes, as it is shown."""
    return SECRET_PREFIX + base64.b64encode(random).decode()


def signing_key(secret: str) -> bytes:
    """What signs by the Standard Webhooks: the bytes that a secret stands for, else its own."""
    return (_decoded(secret) if secret.startswith(SECRET_PREFIX) else None) or secret.encode()


def after_outcome(endpoint: Endpoint, now: datetime, *, is_success: bool) -> Endpoint:
    """An endpoint after attempts of which at least one succeeded, or all failed."""
    if is_success:
        return replace(endpoint, failing_since=None)
    since = endpoint.failing_since or now
    if endpoint.is_enabled and now - since >= FAILING_FOR_MAX:
        return replace(
            endpoint,
            failing_since=since,
            is_enabled=False,
            disabled_reason=DisabledReason.FAILING,
            updated_at=now,
        )
    return replace(endpoint, failing_since=since)


def _decoded(secret: str) -> bytes | None:
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        return None
