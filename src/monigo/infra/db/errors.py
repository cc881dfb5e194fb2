"""What the database's errors mean to people."""

import re
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from typing import Any

import asyncpg

from monigo.core.errors import DomainError, ErrorKind


def violated_constraint(error: asyncpg.PostgresError) -> str:
    """The constraint's name as the migrations wrote it (a cluster's shards append `_digits`)."""
    return re.sub(r"_\d+$", "", error.constraint_name or "")


def violation_in(
    errors: Mapping[str, Callable[[], DomainError]], error: asyncpg.PostgresError
) -> DomainError | None:
    """The error that people understand, where one of the named constraints was violated."""
    is_violation = isinstance(error, asyncpg.IntegrityConstraintViolationError)
    make_error = errors.get(violated_constraint(error)) if is_violation else None
    return None if make_error is None else make_error()


@contextmanager
def violations_as(errors: Mapping[str, Callable[[], DomainError]]) -> Any:
    """Turn violations of the named constraints into the errors that people understand."""
    try:
        yield
    except asyncpg.PostgresError as error:
        refusal = violation_in(errors, error)
        if refusal is None:
            raise
        raise refusal from error


# What a healthy system answers again in a moment: no connection, no space, no lock.
PASSING_FAULTS = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InsufficientResourcesError,
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresIOError,
    ConnectionError,
    OSError,
)


def as_unavailable(error: BaseException) -> DomainError | None:
    """The error to answer when the database is away, full or too busy; None for other faults."""
    if not isinstance(error, PASSING_FAULTS):
        return None
    return DomainError(
        ErrorKind.UNAVAILABLE,
        "database_unavailable",
        "the database is not available, please try again",
        retry_after_seconds=1,
    )
