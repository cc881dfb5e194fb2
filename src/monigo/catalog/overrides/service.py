"""Use cases of price overrides: what one customer pays in place of a price's own model."""

from collections.abc import Awaitable, Iterable, Sequence
from typing import TypeVar
from uuid import UUID

from monigo import customers
from monigo.catalog import metrics, prices
from monigo.catalog.metrics import Metric
from monigo.catalog.overrides import store
from monigo.catalog.overrides.events import (
    OverrideChanged,
    OverrideCreated,
    OverrideDeleted,
    OverrideFact,
)
from monigo.catalog.overrides.rules import check_override, override_after
from monigo.catalog.overrides.types import (
    NewOverride,
    OverrideChanges,
    OverrideFilter,
    OverrideTerms,
    PriceOverride,
)
from monigo.catalog.prices import PriceRevision
from monigo.core.errors import DomainError, not_found
from monigo.core.ids import CustomerId, PriceId, PriceOverrideId, parse_id
from monigo.core.paging import Page, PageRequest
from monigo.infra import outbox
from monigo.infra.db import RowLock, Transaction
from monigo.infra.ids import new_id

Found = TypeVar("Found")


async def create_override(tx: Transaction, wanted: NewOverride) -> PriceOverride:
    """Override a price for a customer, from now or a given instant on.

    Raises:
        DomainError: not_found (customer, price, naming the field); invalid; conflict, when another
            override of that price holds for the customer at some of the same time.
    """
    customer = await _named("customer_id", customers.get(tx, wanted.customer, lock=RowLock.CHANGE))
    price = await _named("price_id", _offered_price(tx, wanted.price))
    terms = OverrideTerms(
        wanted.model, wanted.model_name, wanted.valid_from or tx.now, wanted.valid_until
    )
    check_override(terms, await _locked_metric(tx, price))
    override_id = PriceOverrideId(new_id())
    await _refuse_overlap(tx, override_id, customer.id, price.price.id, terms)
    override = await store.insert(tx, override_id, customer.id, price.price.id, terms)
    await _report(tx, OverrideCreated, override)
    tx.changed(None, override)
    return override


async def get_override(tx: Transaction, override_id: UUID) -> PriceOverride:
    """One override. Raises not_found."""
    return _found(await store.load(tx, override_id))


async def list_overrides(
    tx: Transaction, request: PageRequest, *, customer: str | None, price: str | None
) -> Page[PriceOverride]:
    """Overrides that match, newest first; none for an unknown customer or price."""
    nobody: Page[PriceOverride] = Page([], 0, request.offset)
    customer_id = None
    if customer is not None:
        customer_id = (await customers.resolve(tx, [customer])).get(customer)
        if customer_id is None:
            return nobody
    price_id = None
    if price is not None and (price_id := parse_id(price)) is None:
        return nobody
    return await store.list_page(tx, request, OverrideFilter(customer_id, price_id))


async def overrides_of(
    tx: Transaction, customer_ids: Iterable[CustomerId]
) -> dict[CustomerId, tuple[PriceOverride, ...]]:
    """The overrides of each of these customers."""
    found: dict[CustomerId, list[PriceOverride]] = {known: [] for known in customer_ids}
    for override in await store.load_of_customers(tx, list(found)):
        found[override.customer_id].append(override)
    return {customer_id: tuple(overrides) for customer_id, overrides in found.items()}


async def update_override(
    tx: Transaction, override_id: UUID, changes: OverrideChanges
) -> PriceOverride:
    """Change the named terms, leaving the others.

    Raises:
        DomainError: not_found; invalid; conflict, as `create_override` does.
    """
    override = await _locked(tx, override_id)
    price = await prices.lock_known(tx, override.price_id)
    terms = override_after(override, changes)
    check_override(terms, await _locked_metric(tx, price))
    await _refuse_overlap(tx, override.id, override.customer_id, override.price_id, terms)
    changed = await store.update(tx, override.id, terms)
    await _report(tx, OverrideChanged, changed)
    tx.changed(override, changed)
    return changed


async def delete_override(tx: Transaction, override_id: UUID) -> None:
    """Hide an override; invoices that used it keep what they show. Raises not_found."""
    override = await _locked(tx, override_id)
    await store.hide(tx, override.id)
    await _report(tx, OverrideDeleted, override)
    tx.changed(override, None)


async def _report(tx: Transaction, fact_type: type[OverrideFact], override: PriceOverride) -> None:
    fact = fact_type(
        price_override_id=override.id,
        customer_id=override.customer_id,
        price_id=override.price_id,
    )
    await outbox.emit(tx, [fact])


async def _locked(tx: Transaction, override_id: UUID) -> PriceOverride:
    """An override, with its customer's lock, under which none of the customer's can change."""
    override = await get_override(tx, override_id)
    await customers.lock(tx, [override.customer_id])
    return _found(await store.load(tx, override.id, RowLock.EXCLUSIVE))


async def _offered_price(tx: Transaction, reference: str) -> PriceRevision:
    price_id = parse_id(reference)
    if price_id is None:
        raise not_found("price")
    return await prices.lock_offered(tx, price_id)


async def _locked_metric(tx: Transaction, price: PriceRevision) -> Metric:
    """The metric that a price is on, which can't be edited until the transaction ends."""
    metric_id = price.price.terms.metric_id
    await metrics.lock_metrics(tx, [metric_id])
    return (await metrics.get_metrics(tx, [metric_id]))[metric_id]


async def _refuse_overlap(
    tx: Transaction,
    override_id: PriceOverrideId,
    customer_id: CustomerId,
    price_id: PriceId,
    terms: OverrideTerms,
) -> None:
    """Raise conflict; the customer's lock keeps others from coming in between."""
    if await store.find_overlapping(tx, override_id, customer_id, price_id, terms):
        raise store.overlapping()


def _found(override: PriceOverride | None) -> PriceOverride:
    if override is None:
        raise not_found("price_override")
    return override


async def _named(field: str, found: Awaitable[Found]) -> Found:
    """Await a look-up of something a body refers to; when it is missing, name the body's field."""
    try:
        return await found
    except DomainError as error:
        raise DomainError(
            error.kind, error.code, error.message, fields={field: error.message}
        ) from error


async def percentages_among(tx: Transaction, price_ids: Sequence[PriceId]) -> set[PriceId]:
    """Those of these prices of which some customer's override takes a percentage."""
    return await store.prices_with_percentage(tx, price_ids)
