"""Pure: requests as the Cloud API takes them, and what its answers mean."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from monigo.providers.reading import at, decode, text
from monigo.providers.whatsapp.types import (
    Accepted,
    Advice,
    Keys,
    NoAnswer,
    Outcome,
    PhoneNumber,
    Refused,
    TemplateMessage,
)

PHONE_FIELDS = "id,display_phone_number,verified_name"
FAULT_LENGTH_MAX = 300
_OK, _REDIRECT = 200, 300

# By Meta's codes; each that is not here means another way. Nothing was sent by any of them.
_AGAIN = frozenset({1, 2, 4, 80007, 130429, 131000, 131016})
_AGAIN_LATER = frozenset({131056})
_MEND = frozenset({0, 3, 10, 190, 368, 131031, 131042, 133010, *range(200, 300)})
# The codes of a token that is refused, and of an object that it may not see or that there is not.
TOKEN_CODES = frozenset({0, 190})
OBJECT_CODE = 100


def message_body(message: TemplateMessage) -> dict[str, Any]:
    """A template message as it is sent."""
    template: dict[str, Any] = {
        "name": message.template,
        "language": {"code": message.language},
    }
    if message.parameters:
        values = [{"type": "text", "text": value} for value in message.parameters]
        template["components"] = [{"type": "body", "parameters": values}]
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": message.to,
        "type": "template",
        "template": template,
        "biz_opaque_callback_data": message.reference,
    }


def secret_proof(keys: Keys) -> str:
    """What proves to Meta that a request's sender has the app's secret beside the token."""
    return hmac.new(
        keys.app_secret.encode(), keys.access_token.encode(), hashlib.sha256
    ).hexdigest()


def message_outcome(status: int, body: bytes) -> Outcome:
    """What an answer to a message means.

    A refusal is one only where Meta's own error says so: a page of a proxy says nothing of it.
    """
    value = decode(body)
    refusal = _refusal(value)
    if refusal is not None:
        return refusal
    message_id = text(value, "messages", 0, "id")
    if _OK <= status < _REDIRECT and message_id:
        return Accepted(message_id)
    return NoAnswer(f"HTTP {status}, which says nothing of the message")


def phone_number(status: int, body: bytes) -> PhoneNumber | Refused | NoAnswer:
    """What an answer to the question for a number means."""
    value = decode(body)
    refusal = _refusal(value)
    if refusal is not None:
        return refusal
    number_id = text(value, "id")
    if _OK <= status < _REDIRECT and number_id:
        return PhoneNumber(
            number_id, text(value, "display_phone_number"), text(value, "verified_name")
        )
    return NoAnswer(f"HTTP {status}")


def advice_of(code: int) -> Advice:
    """What to do about an error of Meta's."""
    for codes, advice in _ADVICE.items():
        if code in codes:
            return advice
    return Advice.OTHER_WAY


_ADVICE: Mapping[frozenset[int], Advice] = {
    _AGAIN: Advice.AGAIN,
    _AGAIN_LATER: Advice.AGAIN_LATER,
    _MEND: Advice.MEND,
}


def _refusal(value: Any) -> Refused | None:
    """Meta's error, if that is what the answer is."""
    error = at(value, "error")
    if not isinstance(error, dict):
        return None
    code = at(error, "code")
    known = code if isinstance(code, int) and not isinstance(code, bool) else None
    if known is None or abs(known) >= 10**9:
        return None
    details = text(error, "error_data", "details")
    said = text(error, "message") or "no reason given"
    reason = f"{said}: {details}" if details and details not in said else said
    return Refused(known, reason[:FAULT_LENGTH_MAX], advice_of(known))
