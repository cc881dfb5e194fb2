"""Look-ups of what a body refers to; a missing reference is reported under the body's field."""

from collections.abc import Awaitable
from typing import TypeVar
from uuid import UUID

from monigo import catalog
from monigo.catalog import Plan
from monigo.core.errors import DomainError, not_found
from monigo.core.ids import parse_id
from monigo.infra.db import Transaction

Found = TypeVar("Found")


async def lock_plan(tx: Transaction, reference: str | UUID) -> Plan:
    """The plan of a body's `plan_id`, which can't be edited or deleted meanwhile.

    Raises:
        DomainError: not_found, naming the field.
    """
    plan_id = reference if isinstance(reference, UUID) else parse_id(reference)
    if plan_id is None:
        raise missing("plan_id", not_found("plan"))
    return await named("plan_id", catalog.lock_plan(tx, plan_id))


async def named(field: str, found: Awaitable[Found]) -> Found:
    """Await a look-up of something a body refers to; when it is missing, name the body's field."""
    try:
        return await found
    except DomainError as error:
        raise missing(field, error) from error


def missing(field: str, error: DomainError) -> DomainError:
    """The error of a look-up, under the field of the body that it was for."""
    return DomainError(error.kind, error.code, error.message, fields={field: error.message})
