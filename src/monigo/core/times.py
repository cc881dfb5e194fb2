"""Instants and days as text: RFC 3339 in, RFC 3339 in UTC out."""

import re
from datetime import UTC, date, datetime

_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ](?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}"
    r"(?:\.[0-9]{1,30})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def parse_day(text: str) -> date | None:
    """The day written as 2026-01-31; None for text that is no date without a time.

    Raises:
        ValueError: a day that no calendar has.
    """
    if _DAY.fullmatch(text) is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError("is not a day that exists") from error


def parse_instant(text: str) -> datetime:
    """The instant in UTC, truncated (never rounded) to microseconds.

    Raises:
        ValueError: not a complete RFC 3339 time with a zone, or outside the years 1 to 9999.
    """
    if _RFC_3339.fullmatch(text) is None:
        raise ValueError("must be an RFC 3339 time such as 2026-01-31T10:17:33Z")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("is not a time that exists") from error


def format_instant(instant: datetime) -> str:
    """RFC 3339 in UTC with `Z`; microseconds only where there are any."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
