"""What the log records of a change: the fields that differ, bounded, without secrets. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from monigo.audit.types import Fields

MASK = "•••"
# What would open something, by the names that fields of ours and of merchants' metadata give it.
_SECRETS = frozenset(
    {"key", "secret", "password", "token", "pin", "authorization", "credential", "credentials"}
)
_SECRET_ENDINGS = ("_key", "_secret", "_password", "_token", "_pin", "_credential", "_credentials")
# A key that is public, or that opens nothing.
_NO_SECRETS = frozenset({"public_key", "idempotency_key"})
# A time that changes with each edit is the same as the entry's own.
_UNTOLD = frozenset({"updated_at"})

# As much of a value as a person reads; of a plan with hundreds of prices the beginning.
VALUE_LENGTH_MAX = 2_000
# Names and programs of who asks.
TEXT_LENGTH_MAX = 500
# Of both sides together, so that an entry stays small whatever the number of fields.
FIELDS_LENGTH_MAX = 32_000


def changed_fields(before: Fields | None, after: Fields | None) -> tuple[Any, Any] | None:
    """The fields that differ, before and after; None where none does.

    Of a thing that is made or deleted, all that have a value. Values are compared before secrets
    are masked and long ones cut, so that every change is seen.
    """
    old, new = before or {}, after or {}
    names = [name for name in {**old, **new} if _differs(name, old.get(name), new.get(name))]
    if not names and (before is None) == (after is None):
        return None
    length = min(VALUE_LENGTH_MAX, FIELDS_LENGTH_MAX // (2 * max(len(names), 1)))
    return tuple(
        None if side is None else {name: _recorded(name, side.get(name), length) for name in names}
        for side in (before, after)
    )  # pyright: ignore[reportReturnType] - two sides make two


def short(text: str) -> str:
    """What somebody calls themselves or their program, cut where it is longer than a line."""
    return text if len(text) <= TEXT_LENGTH_MAX else f"{text[: TEXT_LENGTH_MAX - 1]}…"


def _differs(name: str, before: Any, after: Any) -> bool:
    """Whether a field is recorded: where nothing was or is, an empty value is none."""
    return name not in _UNTOLD and before != after and bool(before or after)


def _recorded(name: str, value: Any, length: int) -> Any:
    masked = _masked(name, value)
    if isinstance(masked, bool | int) or masked is None:
        return masked
    text = masked if isinstance(masked, str) else msgspec.json.encode(masked).decode()
    if len(text) <= length:
        return masked
    return f"{text[:length]}… ({len(text)} characters)"


def _masked(name: str, value: Any) -> Any:
    if value and _is_secret(name):
        return MASK
    if isinstance(value, Mapping):
        return {key: _masked(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked("", item) for item in value]
    return value


def _is_secret(name: str) -> bool:
    folded = name.lower()
    if folded in _NO_SECRETS:
        return False
    return folded in _SECRETS or folded.endswith(_SECRET_ENDINGS)
