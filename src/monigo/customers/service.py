"""Use cases of customers."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from monigo.core.errors import DomainError, ErrorKind, conflict, ensure, invalid, not_found
from monigo.core.ids import CustomerId, parse_id
from monigo.core.languages import tag_fault
from monigo.core.paging import Page, PageRequest
from monigo.customers import store
from monigo.customers.events import CustomerCreated, CustomerDeleted, CustomerUpdated
from monigo.customers.types import Customer, CustomerDeletion, CustomerDetails
from monigo.infra import outbox, registry
from monigo.infra.db import RowLock, Transaction
from monigo.infra.ids import new_id


async def create(tx: Transaction, details: CustomerDetails) -> tuple[Customer, bool]:
    """Create a customer; the same content again returns the existing one (and False).

    Raises:
        DomainError: invalid, when the locale is none; conflict, when the external_id belongs to a
            customer with other content.
    """
    _check(details)
    created = await store.insert(tx, CustomerId(new_id()), details)
    if created is not None:
        external_id = details.external_id
        await outbox.emit(tx, [CustomerCreated(customer_id=created.id, external_id=external_id)])
        tx.changed(None, created)
        return created, True
    existing = await store.load_by_external_id(tx, details.external_id)
    if existing is None:  # The one that was in the way has just been deleted.
        raise DomainError(ErrorKind.UNAVAILABLE, "retry", "please try again", retry_after_seconds=1)
    if existing.details != details:
        raise conflict(
            "customer_exists",
            f"customer {existing.id} already has the external_id {details.external_id!r},"
            " with other content",
        )
    return existing, False


async def get(tx: Transaction, reference: str | UUID, *, lock: RowLock = RowLock.NONE) -> Customer:
    """The customer with this id; a text may be an external_id, too.

    An id that we hold never means who has the id of a deleted customer as external id.

    Raises:
        DomainError: not_found.
    """
    if isinstance(reference, UUID):
        customer = await store.load_by_reference(tx, reference, None, lock)
    else:
        customer = await store.load_by_reference(tx, parse_id(reference), reference, lock)
    if customer is None:
        raise not_found("customer")
    return customer


async def lock(tx: Transaction, customer_ids: Iterable[CustomerId]) -> None:
    """Lock known customers, deleted or not, until the transaction ends."""
    await store.lock(tx, list(customer_ids))


async def names(tx: Transaction, customer_ids: Iterable[CustomerId]) -> dict[CustomerId, str]:
    """What customers are called, deleted ones included."""
    return await store.load_names(tx, list(customer_ids))


async def living(tx: Transaction, customer_ids: Iterable[CustomerId]) -> dict[CustomerId, Customer]:
    """Those of these customers that are not deleted."""
    return await store.load_living(tx, list(customer_ids))


async def list_page(tx: Transaction, request: PageRequest) -> Page[Customer]:
    """Customers, newest first."""
    return await store.list_page(tx, request)


async def update(tx: Transaction, reference: str, changes: Mapping[str, Any]) -> Customer:
    """Change the named details, leaving the others.

    Raises:
        DomainError: not_found; invalid, when the locale is none; conflict, when the new external_id
            is taken.
    """
    customer = await get(tx, reference, lock=RowLock.CHANGE)
    details = replace(customer.details, **changes)
    _check(details)
    changed = await store.update(tx, customer.id, details)
    if details.external_id != customer.details.external_id:
        await store.note_change(tx)
    ensure(changed, "a locked customer can be updated")
    fact = CustomerUpdated(
        customer_id=customer.id, external_id=details.external_id, changed=tuple(sorted(changes))
    )
    await outbox.emit(tx, [fact])
    tx.changed(customer, changed)
    return changed  # pyright: ignore[reportReturnType] - ensured above


async def delete(tx: Transaction, reference: str) -> None:
    """Hide a customer, unless something still depends on it; its external_id is free again.

    Raises:
        DomainError: not_found; conflict from a guard.
    """
    customer = await get(tx, reference, lock=RowLock.EXCLUSIVE)
    await registry.ask(tx, CustomerDeletion(customer.id))
    await store.hide(tx, customer.id)
    external_id = customer.details.external_id
    await outbox.emit(tx, [CustomerDeleted(customer_id=customer.id, external_id=external_id)])
    tx.changed(customer, None)


async def resolve(tx: Transaction, references: Iterable[str]) -> dict[str, CustomerId]:
    """The customers behind ids or external_ids, in one query; unknown references are absent."""
    ids = {reference: parse_id(reference) for reference in references}
    found = await store.resolve(tx, [parsed for parsed in ids.values() if parsed], list(ids))
    resolved = {
        reference: found.get(str(parsed)) or found.get(reference)
        for reference, parsed in ids.items()
    }
    return {reference: known for reference, known in resolved.items() if known is not None}


async def changes_version(tx: Transaction) -> int:
    """A number that rises with every change after which a reference may mean another customer."""
    return await store.load_version(tx)


def _check(details: CustomerDetails) -> None:
    fault = tag_fault(details.locale) if details.locale else None
    if fault is not None:
        raise invalid({"locale": fault})
