"""Every failure as the contract words it: `{"error": …, "details": {field: fault}}`."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from msgspec import UNSET, Meta, UnsetType
from starlette.exceptions import HTTPException

from monigo.api.kernel.wire.openapi import described
from monigo.api.kernel.wire.outgoing import Answer, Outgoing
from monigo.core.errors import DomainError, ErrorKind, not_found
from monigo.infra.db import as_unavailable
from monigo.infra.logging import logger

log = logger(__name__)

# What a path's parameter is called where it isn't found, unless just as the parameter.
_NOT_FOUND_AS = {"connection": "payment_connection", "override": "price_override"}

STATUSES = {
    ErrorKind.INVALID: 400,
    ErrorKind.UNAUTHENTICATED: 401,
    ErrorKind.INSUFFICIENT: 402,
    ErrorKind.FORBIDDEN: 403,
    ErrorKind.NOT_FOUND: 404,
    ErrorKind.TIMED_OUT: 408,
    ErrorKind.CONFLICT: 409,
    ErrorKind.TOO_LARGE: 413,
    ErrorKind.MISMATCH: 422,
    ErrorKind.RATE_LIMITED: 429,
    ErrorKind.UNSUPPORTED: 501,
    ErrorKind.UNAVAILABLE: 503,
}


class ErrorBody(Outgoing, frozen=True, omit_defaults=True):
    """What went wrong: `error` for people, `code` for programs, `details` by field at fault."""

    error: Annotated[str, Meta(examples=["validation failed"])]
    code: Annotated[
        str,
        Meta(
            description="stable, for programs; docs/error-codes.md lists them",
            examples=["validation_failed"],
        ),
    ]
    details: Annotated[
        dict[str, str] | UnsetType,
        Meta(examples=[{"prices[0].unit_price": "must be a decimal number"}]),
    ] = UNSET


# What every route of a tenant may be refused with.
ERROR_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: described(ErrorBody, description)
    for status, description in (
        (400, "The request is invalid; details name the fields."),
        (401, "No, an unknown, a revoked or an expired API key."),
        (
            403,
            "No right: the scope, mode or role lacks it, or a required second factor is missing.",
        ),
        (404, "Unknown here."),
        (408, "The body came too slowly; nothing changed."),
        (409, "At odds with the present state or with uniqueness."),
        (413, "The body is too large."),
        (422, "Idempotency-Key reused with another body."),
        (429, "Too many requests; Retry-After says when to ask."),
        (503, "Not available now; Retry-After says when to ask."),
    )
}

# Starlette's own refusals: no such route, another method.
_HTTP_ERRORS = {
    404: ("route_not_found", "not found"),
    405: ("method_not_allowed", "method not allowed"),
}

INSUFFICIENT_RESPONSE: dict[int | str, dict[str, Any]] = {
    402: described(ErrorBody, "The wallet holds too little; nothing changed."),
}

UNSUPPORTED_RESPONSE: dict[int | str, dict[str, Any]] = {
    501: described(ErrorBody, "The payment provider can't do it."),
}


def error_response(error: DomainError) -> Answer:
    """The answer to a request that can't be done."""
    body = ErrorBody(error.message, error.code, error.fields or UNSET)
    headers: dict[str, str] = {}
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    if error.kind is ErrorKind.TIMED_OUT:
        headers["Connection"] = "close"  # The rest of the body is not waited for.
    if error.kind is ErrorKind.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = "Bearer"
    return Answer(body, STATUSES[error.kind], headers)


def plain_error(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> Answer:
    """The answer to a failure that no domain knows of."""
    return Answer(ErrorBody(message, code), status, headers)


def internal_error(error: BaseException) -> Answer:
    """The answer to a fault of our own, whose story is in the log."""
    log.error("internal error", exc_info=error)
    # The server hangs up after a fault, so the client must not send its next request here.
    return plain_error(500, "internal_error", "internal error", {"Connection": "close"})


def failure_response(error: BaseException) -> Answer:
    """The answer to whatever went wrong."""
    known = as_domain_error(error)
    return internal_error(error) if known is None else error_response(known)


def as_domain_error(error: BaseException) -> DomainError | None:
    """The error of people or of a busy database behind an exception; None for our own faults."""
    match error:
        case DomainError():
            return error
        case RequestValidationError():
            return _validation_error(error)
        case HTTPException(status_code=400):
            return DomainError(
                ErrorKind.INVALID, "bad_request", "validation failed", fields={"body": error.detail}
            )
        case _:
            return as_unavailable(error)


def _validation_error(error: RequestValidationError) -> DomainError:
    fields: dict[str, str] = {}
    for fault in error.errors():
        path = list(fault["loc"])
        if path and path[0] == "path":
            return _unknown_in_path(str(path[-1]))
        if path and path[0] in {"body", "query", "path", "header"}:
            source = str(path.pop(0))
            path = path or [source]
        if fault["type"] == "json_invalid":
            fields["body"] = "is not valid JSON"
        else:
            fields.setdefault(_path(path), _message(fault))
    return DomainError(ErrorKind.INVALID, "validation_failed", "validation failed", fields=fields)


def _unknown_in_path(parameter: str) -> DomainError:
    """The error of text in a path that can be nobody's id."""
    what = parameter.removesuffix("_id")
    return not_found(_NOT_FOUND_AS.get(what, what))


def _path(location: list[str | int]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.removeprefix(".")


def _message(fault: dict[str, Any]) -> str:
    if fault["type"] == "missing":
        return "is required"
    message = str(fault["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


async def _answer_known(_request: Request, error: Exception) -> Answer:
    return failure_response(error)


async def _answer_http(_request: Request, error: Exception) -> Answer:
    """Starlette's own: no such route, method not allowed."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    detail = error.detail if isinstance(error, HTTPException) else "internal error"
    code, words = _HTTP_ERRORS.get(status, (f"http_{status}", detail))
    return plain_error(status, code, words, headers)


async def _answer_unknown(_request: Request, error: Exception) -> Answer:
    return internal_error(error)


def add_error_handlers(app: FastAPI) -> None:
    """Answer every failure in the contract's words."""
    app.add_exception_handler(DomainError, _answer_known)
    app.add_exception_handler(RequestValidationError, _answer_known)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_unknown)
