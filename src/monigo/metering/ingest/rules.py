"""Pure rules of ingestion: which events are valid, when they happened, what makes one a repeat."""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from zlib import crc32

import msgspec

from monigo.core.errors import DomainError, ErrorKind, invalid
from monigo.core.jsonb import storage_fault
from monigo.core.times import parse_instant
from monigo.metering.ingest.types import Event
from monigo.metering.rules import AGE_MAX, LEAD_MAX

BATCH_MAX = 1_000
TEXT_LENGTH_MAX = 255
# Properties describe one event; a document belongs elsewhere.
PROPERTIES_BYTES_MAX = 64 * 1024
# A batch full of faults is explained this far; the rest is found on the next try.
FAULTS_MAX = 100
# Go's zero time, which its clients send for "not set".
ZERO_YEAR = 1
# "2026-11-21T08:00:00.123456Z": texts up to this long that end in Z need no truncation.
_EXACT_TIME_LENGTH = 27
# Stands nowhere in JSON but inside of texts, and there only in its escaped form.
_NOT_IN_JSON = b"\x1f"
_EMPTY = msgspec.Raw(b"{}")
# Sequential keys differ in their last characters: the ten thousand that differ in four digits lie
# side by side in the index, so that a batch touches a few of its pages, not a thousand.
_COUNTED_CHARACTERS = 4
_NEIGHBOURHOOD_BYTES = 4
_HASH_BYTES = 16 - _NEIGHBOURHOOD_BYTES


class _Batch(msgspec.Struct):
    events: list[Event]


class _LooseBatch(msgspec.Struct):
    events: list[msgspec.Raw]


_batch_decoder = msgspec.json.Decoder(_Batch)
_loose_decoder = msgspec.json.Decoder(_LooseBatch)
_event_decoder = msgspec.json.Decoder(Event)


def decode_batch(body: bytes) -> list[Event]:
    """The events of an ingest request, valid but for their times, customers and odd properties.

    Raises:
        DomainError: invalid, naming the fields of every bad event.
    """
    try:
        events = _batch_decoder.decode(body).events
    except msgspec.ValidationError:
        raise _type_faults(body) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise _not_json(error) from error
    _check_count(len(events))
    # Faults are rare: check whole columns first, and single events only to report faults.
    texts = [event.event_name for event in events]
    texts += [event.customer_id for event in events]
    texts += [event.idempotency_key for event in events]
    lengths = [*map(len, texts)]
    # Properties are passed on unread, so they may not be text at all.
    is_plain = (
        _is_text(body)
        and not (b"\\" in body and b"\\u" in body)
        and min(lengths) > 0
        and max(lengths) <= TEXT_LENGTH_MAX
        and _NOT_IN_JSON not in body
        and _are_objects([event.properties for event in events])
    )
    if not is_plain:
        _check_each(events)
    return events


def _is_text(body: bytes) -> bool:
    if body.isascii():
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _are_objects(properties: Sequence[msgspec.Raw]) -> bool:
    """Whether all are JSON objects of a size that is taken, and hold no `_NOT_IN_JSON`."""
    joined = _NOT_IN_JSON.join([b"", *properties])
    return (
        joined.count(_NOT_IN_JSON + b"{") == len(properties)
        and max(map(len, properties)) <= PROPERTIES_BYTES_MAX
    )


def _check_count(count: int) -> None:
    if not 1 <= count <= BATCH_MAX:
        raise invalid({"events": f"must hold 1 to {BATCH_MAX} events"})


def _not_json(error: Exception) -> DomainError:
    return invalid({"body": f"is not valid JSON: {error}"})


def _type_faults(body: bytes) -> DomainError:
    """The faults of a batch in which a field has the wrong type."""
    try:
        raws = _loose_decoder.decode(body).events
    except msgspec.ValidationError:
        return invalid({"events": "must be a list of events"})
    except (msgspec.DecodeError, RecursionError) as error:
        return _not_json(error)
    _check_count(len(raws))
    faults: dict[str, str] = {}
    for position, raw in enumerate(raws):
        try:
            _event_decoder.decode(raw)
        except msgspec.ValidationError as error:
            message, _, path = str(error).partition(" - at `$.")
            missing = re.search(r"missing required field `(\w+)`", message)
            field = missing[1] if missing else path.rstrip("`")
            path = f"events[{position}].{field}" if field else f"events[{position}]"
            faults[path] = "is required" if missing else message[:1].lower() + message[1:]
    return _invalid(faults)


def _check_each(events: Sequence[Event]) -> None:
    """Add each event's faults; properties that are null become an empty object."""
    faults: dict[str, str] = {}
    for position, event in enumerate(events):
        for field in ("event_name", "customer_id", "idempotency_key"):
            text: str = getattr(event, field)
            fault = storage_fault(text)
            if not 1 <= len(text) <= TEXT_LENGTH_MAX:
                fault = f"must have 1 to {TEXT_LENGTH_MAX} characters"
            if fault:
                faults[f"events[{position}].{field}"] = fault
        if bytes(event.properties) == b"null":
            event.properties = _EMPTY
        elif fault := _properties_fault(bytes(event.properties)):
            faults[f"events[{position}].properties"] = fault
    if faults:
        raise _invalid(faults)


def _properties_fault(properties: bytes) -> str | None:
    if not properties.startswith(b"{"):
        return "must be an object"
    if len(properties) > PROPERTIES_BYTES_MAX:
        return f"must be at most {PROPERTIES_BYTES_MAX} bytes"
    try:
        text = properties.decode()
    except UnicodeDecodeError:
        return "is not valid UTF-8"
    try:
        return storage_fault(json.loads(text, parse_float=Decimal, parse_int=Decimal))
    except (ValueError, ArithmeticError, RecursionError):
        return "holds a number or nesting that cannot be stored"


def unstorable_properties(events: Sequence[Event]) -> DomainError | None:
    """The error for events whose properties the database refuses, such as a number of 1e400000.

    Looking for them beforehand would cost every batch what only such a one needs.
    """
    faults = {
        f"events[{position}].properties": fault
        for position, event in enumerate(events)
        if (fault := _properties_fault(bytes(event.properties)))
    }
    return _invalid(faults) if faults else None


def event_times(events: Sequence[Event], now: datetime) -> list[str]:
    """When each event happened, as ISO 8601 text; `now` for events without a time.

    Raises:
        DomainError: invalid, naming each time that is none, is older than 90 days, or is over an
            hour ahead.
    """
    oldest, latest = now - AGE_MAX, now + LEAD_MAX
    texts = [event.timestamp for event in events]
    exact = [text for text in texts if text and len(text) <= _EXACT_TIME_LENGTH and text[-1] == "Z"]
    if len(exact) == len(texts):
        try:
            times = msgspec.convert(exact, list[datetime])
        except msgspec.ValidationError:
            pass  # The slower way finds which.
        else:
            if oldest <= min(times) and max(times) <= latest:
                return exact
    return [at.isoformat() for at in _each_time(texts, now, oldest, latest)]


def _each_time(
    texts: Sequence[str | None], now: datetime, oldest: datetime, latest: datetime
) -> list[datetime]:
    times: list[datetime] = []
    faults: dict[str, str] = {}
    for position, text in enumerate(texts):
        fault = None
        at = now
        try:
            at = now if text is None else parse_instant(text)
        except ValueError as error:
            fault = str(error)
        if at.year == ZERO_YEAR:
            at = now
        if at < oldest:
            fault = "is older than 90 days"
        elif at > latest:
            fault = "is over an hour ahead"
        if fault:
            faults[f"events[{position}].timestamp"] = fault
        times.append(at)
    if faults:
        raise _invalid(faults)
    return times


def dedup_hashes(events: Sequence[Event], *, is_test: bool) -> list[bytes]:
    """128 bits for each event that stand for its idempotency key in its organisation and mode.

    The first 32 bits keep similar keys together, the other 96 identify the key: that any two of a
    billion keys share those is less likely than one in a hundred billion.
    """
    mode = blake2b(b"t" if is_test else b"l", digest_size=_HASH_BYTES)
    hashes: list[bytes] = []
    for event in events:
        key = event.idempotency_key.encode()
        # Copying costs half of what a new one does.
        hashed = mode.copy()
        hashed.update(key)
        neighbourhood = crc32(key[:-_COUNTED_CHARACTERS]).to_bytes(_NEIGHBOURHOOD_BYTES)
        hashes.append(neighbourhood + hashed.digest())
    return hashes


def quota_exceeded() -> DomainError:
    """The error for a batch that does not fit into the month's quota as a whole."""
    return DomainError(
        ErrorKind.INSUFFICIENT, "event_quota_exceeded", "event quota exceeded for this month"
    )


def unknown_customers(positions: Sequence[int]) -> DomainError:
    """The error for events at these positions, whose customers are not known."""
    return _invalid(
        {
            f"events[{position}].customer_id": "is no customer's id or external_id"
            for position in positions
        }
    )


def _invalid(faults: dict[str, str]) -> DomainError:
    return invalid(dict(list(faults.items())[:FAULTS_MAX]))
