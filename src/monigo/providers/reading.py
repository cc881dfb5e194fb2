"""How answers and webhooks of strangers are read: nothing in them is taken for granted."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from monigo.providers.port import (
    ABOUT_EARLIER,
    Answer,
    Cause,
    Facts,
    Failed,
    FailureCode,
    Intent,
    Outcome,
    Succeeded,
    Unknown,
)

_LAGOS = timezone(timedelta(hours=1))  # Which has no summer time.
_NO_ZONE = ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y %I:%M:%S %p")
_TEXT_LENGTH_MAX = 500
_SERVER_ERROR = 500
_OK, _REDIRECT = 200, 300
_TOO_MANY, _TIMED_OUT = 429, 408


def decode(raw: bytes) -> Any:
    """The value of a JSON text, its numbers as integers and Decimals; None for what is none."""
    try:
        return json.loads(raw, parse_float=Decimal, parse_constant=lambda _: None)
    except (ValueError, RecursionError):  # Also bytes that are no UTF-8, and too deep a nesting.
        return None


def at(value: Any, *path: str | int) -> Any:
    """What lies at a path of names and places; None where there is nothing such."""
    for step in path:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        else:
            value = value[step] if isinstance(value, list) and len(value) > step else None
    return value


def text(value: Any, *path: str | int) -> str:
    """The text or whole number at a path, as text; empty for anything else."""
    found = at(value, *path)
    if isinstance(found, str):
        # Without what no text of a database may hold: NUL, and halves of a pair.
        return found.replace("\0", "").encode(errors="ignore").decode().strip()[:_TEXT_LENGTH_MAX]
    is_number = isinstance(found, int) and not isinstance(found, bool)
    # Longer ones are no ids, and slow to write.
    return str(found) if is_number and abs(found) < 10**30 else ""


def first(value: Any, *names: str) -> str:
    """The first of several fields that says anything."""
    return next((found for name in names if (found := text(value, name))), "")


def rows(value: Any, *path: str | int) -> list[dict[str, Any]]:
    """The objects of the list at a path."""
    found = at(value, *path)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def instant(written: str) -> datetime | None:
    """An instant as providers write it; without a zone it is Lagos's. None for anything else."""
    try:
        read = datetime.fromisoformat(written)
    except ValueError:
        read = next((one for form in _NO_ZONE if (one := _by(form, written))), None)
    if read is None:
        return None
    try:
        return (read if read.tzinfo else read.replace(tzinfo=_LAGOS)).astimezone(UTC)
    except (ValueError, OverflowError):  # The first hour of the year 1 was another year in UTC.
        return None


def _by(form: str, written: str) -> datetime | None:
    try:
        return datetime.strptime(written, form).replace(tzinfo=_LAGOS)
    except ValueError:
        return None


def fault_of(answer: Answer) -> Unknown | None:
    """What no adapter needs to read: the provider failed, or something before it answered.

    None means an object of JSON under a status that says something of it.
    """
    if answer.status >= _SERVER_ERROR or answer.status == _TIMED_OUT:
        return Unknown(cause=Cause.SERVER_ERROR, detail=f"HTTP {answer.status}")
    if answer.status == _TOO_MANY:
        return Unknown(cause=Cause.RATE_LIMITED, detail="HTTP 429")
    if _REDIRECT <= answer.status < 400 or answer.status < _OK:  # noqa: PLR2004 - of HTTP
        return Unknown(cause=Cause.UNREADABLE, detail=f"HTTP {answer.status}")
    if not isinstance(decode(answer.body), dict):
        return Unknown(cause=Cause.UNREADABLE, detail=f"HTTP {answer.status}, not JSON")
    return None


def is_fine(answer: Answer) -> bool:
    """Whether the status is one of the 200s."""
    return _OK <= answer.status < _REDIRECT


def page_after(made: Outcome, page: Any, pages: Any) -> Outcome:
    """A page of a list that says which one comes next; anything else as it is."""
    if not (isinstance(made, Succeeded) and isinstance(made.result, Facts)):
        return made
    is_last = not (isinstance(page, int) and isinstance(pages, int) and page < pages)
    return made if is_last else replace(made, result=Facts(made.result.facts, page + 1))


def refused(intent: Intent, code: FailureCode, reason: str) -> Failed | Unknown:
    """A request that the provider did not take: nothing was made of it.

    Where it was a question about something made before, that is as it was.
    """
    if intent.verb in ABOUT_EARLIER:
        return Unknown(cause=Cause.REFUSED, detail=reason)
    return Failed(code=code, reason=reason, is_final=False)


def _code_by(table: Mapping[str, FailureCode], said: str) -> FailureCode | None:
    found = (code for pattern, code in table.items() if re.search(pattern, said, re.IGNORECASE))
    return next(found, None)


# Of what banks say of a card. The first that fits counts: a lost card is asked for no more,
# whatever else is said of it.
_DECLINES = {
    r"do not retry|stolen|lost card|pick.?up|closed|fraud|restricted|revo(ked|cation)": (
        FailureCode.DO_NOT_RETRY
    ),
    r"insufficient|not sufficient|low balance": FailureCode.INSUFFICIENT_FUNDS,
    r"expired": FailureCode.EXPIRED_METHOD,
    r"otp|pin\b|authenticat|3d.?secure": FailureCode.AUTHENTICATION_FAILED,
    r"invalid (card|token|authorization)|no such (card|issuer)|not reusable": (
        FailureCode.INVALID_METHOD
    ),
    r"incorrect.?amount|(under|over).?payment": FailureCode.WRONG_AMOUNT,
}


def decline_of(said: str) -> FailureCode:
    """Why a charge was declined, by the words that the provider passes on."""
    return _code_by(_DECLINES, said) or FailureCode.DECLINED


# Of what providers say of requests. Several answer with these words alone.
_REFUSALS = {
    r"insufficient|not enough|sufficient balance": FailureCode.INSUFFICIENT_BALANCE,
    r"whitelist|ip address": FailureCode.ADDRESS_NOT_ALLOWED,
    r"authori[sz]ation required|invalid (key|auth)|unauthori[sz]ed": FailureCode.UNAUTHORIZED,
    r"blacklisted|recipient .*invalid|invalid .*(account|recipient|bank)|resolve account": (
        FailureCode.INVALID_RECIPIENT
    ),
    r"cannot initiate|not (permitted|allowed|enabled|available|supported)|disabled|starter": (
        FailureCode.NOT_PERMITTED
    ),
    r"limit|maximum|minimum|exceed": FailureCode.LIMIT_EXCEEDED,
    r"not.{0,10}found|no .{1,40} found|does not exist": FailureCode.NOT_FOUND,
    r"required|invalid|must be|malformed|illegal|missing": FailureCode.INVALID_REQUEST,
}


def refusal_of(said: str) -> FailureCode | None:
    """Why a request was refused, by the provider's words; None for words that we don't know."""
    return _code_by(_REFUSALS, said)
