"""By which means invoices can be collected: a saved method, or why there is none."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from monigo import customers, tenancy
from monigo.collection.types import WaitsFor
from monigo.core.ids import ConnectionId, CustomerId, InvoiceId
from monigo.core.money import Money
from monigo.infra.db import Transaction
from monigo.invoicing import Invoice
from monigo.payments import connections, methods
from monigo.payments.connections import Connection, Purpose
from monigo.payments.methods import PaymentMethod
from monigo.providers.registry import adapter_of

SUSPENDED = "the organization is suspended"
NO_METHOD = "the customer has no saved payment method; it can be paid by a link"
NO_EMAIL = "the customer has no e-mail address, without which providers make no link"


class Means(Struct, frozen=True):
    """The method by which an invoice can be charged; None, and the reason why there is none.

    `waits_for` is what must change first, if that is neither the method nor the amount.
    """

    method: PaymentMethod | None
    reason: str = ""
    waits_for: WaitsFor = WaitsFor.NOTHING


async def means_of(tx: Transaction, invoices: Sequence[Invoice]) -> Mapping[InvoiceId, Means]:
    """By which means each of these invoices can be collected."""
    is_suspended = (await tenancy.get_organization(tx)).suspended_at is not None
    found = await methods.defaults_of(tx, {one.customer_id for one in invoices})
    known: dict[ConnectionId, Connection | None] = {}
    without: dict[tuple[CustomerId, str], Means] = {}
    means: dict[InvoiceId, Means] = {}
    for invoice in invoices:
        method, owner = found.get(invoice.customer_id), (invoice.customer_id, invoice.currency)
        if is_suspended:
            means[invoice.id] = Means(None, SUSPENDED, WaitsFor.ORGANIZATION)
        elif method is None:
            if owner not in without:
                without[owner] = await _without_method(tx, *owner)
            means[invoice.id] = without[owner]
        else:
            if method.connection_id not in known:
                known[method.connection_id] = await connections.find(tx, method.connection_id)
            means[invoice.id] = _by(tx, method, known[method.connection_id], invoice.due)
    return means


async def means_by(tx: Transaction, method: PaymentMethod, invoice: Invoice) -> Means:
    """Whether an invoice can be collected by this one of its customer's methods."""
    if (await tenancy.get_organization(tx)).suspended_at is not None:
        return Means(None, SUSPENDED, WaitsFor.ORGANIZATION)
    return _by(tx, method, await connections.find(tx, method.connection_id), invoice.due)


def below_minimum(provider: str, due: Money) -> str:
    """Why a provider does not charge so little; empty where it does."""
    least = adapter_of(provider).capabilities.minimums.get(due.currency)
    if least is None or due.amount >= least:
        return ""
    return f"{due} are due, and {provider} charges {least} {due.currency} at least"


async def _without_method(tx: Transaction, customer_id: CustomerId, currency: str) -> Means:
    """Why a customer without a saved method can't be charged, and whether a link can be made."""
    if await connections.pick(tx, currency=currency, purpose=Purpose.COLLECT) is None:
        return Means(None, f"no payment connection collects {currency}", WaitsFor.CONNECTION)
    customer = await customers.get(tx, customer_id)
    if not customer.details.email:
        return Means(None, NO_EMAIL, WaitsFor.EMAIL)
    return Means(None, NO_METHOD)


def _by(tx: Transaction, method: PaymentMethod, connection: Connection | None, due: Money) -> Means:
    """A saved method with its connection, if that charges it for what is due."""
    if connection is None or tx.is_test not in connection.credentials:
        reason = "the payment connection of the saved method is gone"
        return Means(None, reason, WaitsFor.CONNECTION)
    if not connection.is_enabled:
        reason = "the payment connection of the saved method is switched off"
        return Means(None, reason, WaitsFor.CONNECTION)
    if due.currency not in connection.supported_currencies:
        reason = f"the payment connection of the saved method does not collect {due.currency}"
        return Means(None, reason, WaitsFor.CONNECTION)
    shortfall = below_minimum(connection.provider, due)
    return Means(None, shortfall) if shortfall else Means(method)
