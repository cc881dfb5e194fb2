"""Rules of deliveries: when a failed one is tried again, and what signs it. Pure."""

import base64
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

# After the first attempt, and each further one that failed; then the delivery has failed.
RETRIED_AFTER = (
    timedelta(seconds=30),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=8),
)
ATTEMPTS_MAX = 1 + len(RETRIED_AFTER)


def next_attempt_at(number: int, now: datetime) -> datetime | None:
    """When what failed at an attempt is tried again, the first being number 1; None for never."""
    return now + RETRIED_AFTER[number - 1] if number < ATTEMPTS_MAX else None


def signatures(
    body: bytes, message_id: UUID, at: datetime, secrets: Sequence[tuple[str, bytes]]
) -> dict[str, str]:
    """The headers that sign a body by each secret as it is shown and the key that it stands for.

    The first secret is the present one. `X-Monigo-Signature` is keyed by the secret as shown; the
    Standard Webhooks headers by its bytes, and have a signature for each secret.
    """
    timestamp = str(int(at.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    own = [f"sha256={hmac.digest(shown.encode(), body, 'sha256').hex()}" for shown, _ in secrets]
    standard = [base64.b64encode(hmac.digest(key, signed, "sha256")) for _, key in secrets]
    headers = {
        "webhook-id": str(message_id),
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{one.decode()}" for one in standard),
        "X-Monigo-Signature": own[0],
    }
    if len(own) > 1:
        headers["X-Monigo-Signature-Previous"] = own[1]
    return headers
