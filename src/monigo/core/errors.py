"""The errors that people and their programs can cause, independent of HTTP."""

from collections.abc import Mapping
from enum import StrEnum


class ErrorKind(StrEnum):
    """What sort of fault an error is; the API maps each kind to one status."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    INSUFFICIENT = "insufficient"
    TIMED_OUT = "timed_out"
    TOO_LARGE = "too_large"
    MISMATCH = "mismatch"
    RATE_LIMITED = "rate_limited"
    UNSUPPORTED = "unsupported"
    UNAVAILABLE = "unavailable"


class DomainError(Exception):
    """An error of a request, described so that its sender can correct it.

    `code` is stable for programs, `message` is for people, `fields` maps the path of each faulty
    input to its fault. `retry_after_seconds` is when a retry may succeed.
    """

    def __init__(
        self,
        kind: ErrorKind,
        code: str,
        message: str,
        *,
        fields: Mapping[str, str] | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.code = code
        self.message = message
        self.fields: dict[str, str] = dict(fields or {})
        self.retry_after_seconds = retry_after_seconds


def without_frames(error: DomainError) -> DomainError:
    """The error without the frames of its traceback.

    A frame refers to the request, and the request to its response, this error: a cycle that would
    stay in memory until the garbage collector runs.
    """
    error.__traceback__ = error.__context__ = error.__cause__ = None
    return error


def invalid(fields: Mapping[str, str]) -> DomainError:
    """Input that breaks a rule; `fields` names every fault at once."""
    return DomainError(ErrorKind.INVALID, "validation_failed", "validation failed", fields=fields)


def not_found(what: str) -> DomainError:
    """An id that is unknown here, which another tenant's always is."""
    return DomainError(ErrorKind.NOT_FOUND, f"{what}_not_found", f"{what} not found")


def conflict(code: str, message: str) -> DomainError:
    """A request at odds with the present state or with uniqueness."""
    return DomainError(ErrorKind.CONFLICT, code, message)


class InvariantError(AssertionError):
    """Our own fault: something that must hold does not. Rolls back and answers 500."""


def ensure(condition: object, what_must_hold: str) -> None:
    """Raise InvariantError unless `condition` is true.

    For invariants that no input can break; errors of people are DomainErrors.
    """
    if not condition:
        raise InvariantError(what_must_hold)
