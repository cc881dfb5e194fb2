"""Pure: the webhooks of the Cloud API, and who signed them."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from monigo.providers.reading import at, decode, text
from monigo.providers.whatsapp.answers import FAULT_LENGTH_MAX
from monigo.providers.whatsapp.types import Hook, Received, Status, StatusReport

SIGNATURE_HEADER = "x-hub-signature-256"
_PREFIX = "sha256="
_DIGITS = re.compile(r"[1-9]\d{5,19}")
_SECONDS = re.compile(r"\d{1,10}")
_STATUSES = frozenset(Status)


def is_signed(app_secret: str, headers: Mapping[str, str], raw: bytes) -> bool:
    """Whether the app whose secret it is sent these bytes; compares in constant time.

    Names of headers are in lower case.
    """
    expected = _PREFIX + hmac.new(app_secret.encode(), raw, hashlib.sha256).hexdigest()
    given = headers.get(SIGNATURE_HEADER, "")
    return hmac.compare_digest(expected.encode(), given.encode("latin-1", errors="replace"))


def read_hook(raw: bytes) -> list[Hook]:
    """What a webhook reports, of each number; what it has of other kinds is left out."""
    value = decode(raw)
    return [
        found
        for entry in _list(value, "entry")
        for change in _list(entry, "changes")
        if text(change, "field") == "messages"
        for found in (_hook(at(change, "value")),)
        if found.phone_number_id
    ]


def _hook(value: Any) -> Hook:
    statuses = [_status(one) for one in _list(value, "statuses")]
    received = [_received(one) for one in _list(value, "messages")]
    return Hook(
        text(value, "metadata", "phone_number_id"),
        tuple(one for one in statuses if one is not None),
        tuple(one for one in received if one is not None),
    )


def _status(value: Any) -> StatusReport | None:
    message_id, status = text(value, "id"), text(value, "status")
    instant = _instant(value)
    if not message_id or status not in _STATUSES or instant is None:
        return None
    code = at(value, "errors", 0, "code")
    is_code = isinstance(code, int) and not isinstance(code, bool) and abs(code) < 10**9
    said = text(value, "errors", 0, "title") or text(value, "errors", 0, "message")
    details = text(value, "errors", 0, "error_data", "details")
    reason = f"{said}: {details}" if details and details not in said else said
    return StatusReport(
        message_id=message_id,
        reference=text(value, "biz_opaque_callback_data"),
        status=Status(status),
        at=instant,
        code=code if is_code else 0,
        reason=reason[:FAULT_LENGTH_MAX],
    )


def _received(value: Any) -> Received | None:
    """A text, or a button of a template that was pressed."""
    phone, instant = text(value, "from"), _instant(value)
    if not _DIGITS.fullmatch(phone) or instant is None:
        return None
    said = text(value, "text", "body") or text(value, "button", "text")
    return Received(phone, said, instant) if said else None


def _instant(value: Any) -> datetime | None:
    seconds = text(value, "timestamp")
    return datetime.fromtimestamp(int(seconds), UTC) if _SECONDS.fullmatch(seconds) else None


def _list(value: Any, name: str) -> list[Any]:
    found = at(value, name)
    return found if isinstance(found, list) else []
