"""What people start: links by which an invoice is paid, another try, a method set up, refunds."""

from decimal import Decimal
from functools import reduce
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from monigo import customers, invoicing, wallets
from monigo.collection.guards import in_flight
from monigo.collection.means import NO_EMAIL, below_minimum, means_by, means_of
from monigo.collection.rules import left_of, shares_of_refund
from monigo.core.errors import DomainError, conflict, invalid, not_found
from monigo.core.ids import CustomerId
from monigo.core.money import EXACT, Money
from monigo.infra.db import Transaction
from monigo.invoicing import Invoice, InvoiceStatus
from monigo.payments import charges, connections, methods, refunds
from monigo.payments.charges import (
    Charge,
    ChargeKind,
    ChargeState,
    NewCheckout,
    NewPull,
    Purpose,
)
from monigo.payments.connections import Connection
from monigo.payments.methods import PaymentMethod
from monigo.payments.received import Payment
from monigo.payments.refunds import Destination, NewRefund, Refund
from monigo.providers.registry import ADAPTERS, adapter_of

# What a provider charges to make a method known, where it has no minimum of its own.
SETUP_AMOUNT = Decimal(50)
# Of one request, which waits for the provider's word on each; an invoice has one or two.
PAYMENTS_REFUNDED_MAX = 10
_REFUNDED_IN = frozenset(
    {
        InvoiceStatus.FINALIZED,
        InvoiceStatus.PAYMENT_FAILED,
        InvoiceStatus.UNCOLLECTIBLE,
        InvoiceStatus.PAID,
    }
)


class WantedLink(Struct, frozen=True):
    """How an invoice is to be paid: at which provider, and where its payer goes then."""

    provider: str | None
    save_method: bool
    return_url: str


class WantedRefund(Struct, frozen=True):
    """What is to go back of an invoice; without an amount all that is left."""

    amount: Decimal | None
    reason: str
    charge_id: UUID | None
    to_wallet: bool


class Refunded(Struct, frozen=True):
    """What goes back of an invoice by one request: of the newest payment first."""

    refunds: tuple[Refund, ...]

    @property
    def whole(self) -> Refund:
        """The first, as if all of it went back by that."""
        amounts = [one.amount for one in self.refunds]
        return replace(self.refunds[0], amount=reduce(Money.__add__, amounts))


async def initiate_payment(tx: Transaction, invoice_id: UUID, wanted: WantedLink) -> Charge:
    """Intend to make a link for what is due of an invoice, or find the one that is open.

    A pull that waits for its customer is what the customer is to confirm; nothing else is made.

    Raises:
        DomainError: not_found; invalid (provider); conflict, unless something is due, while a pull
            is under way, or where no link can be made, with the reason.
    """
    await charges.lock_open_of(tx, invoice_id)
    invoice = await invoicing.lock(tx, invoice_id)
    invoicing.check_can_be_collected(invoice)
    pull = (await charges.live_pulls_of(tx, [invoice.id])).get(invoice.id)
    if pull is not None:
        if pull.state is ChargeState.NEEDS_ACTION and pull.url:
            return pull
        raise in_flight(invoice.id)
    return await _link(tx, invoice, wanted)


async def _link(tx: Transaction, invoice: Invoice, wanted: WantedLink) -> Charge:
    connection = await _connection(tx, invoice.currency, wanted.provider)
    shortfall = below_minimum(connection.provider, invoice.due)
    if shortfall:
        raise conflict("amount_below_minimum", shortfall)
    charge = await charges.create_checkout(
        tx,
        NewCheckout(
            purpose=Purpose.INVOICE,
            amount=invoice.due,
            customer_id=invoice.customer_id,
            connection_id=connection.id,
            provider=connection.provider,
            email=await _email(tx, invoice.customer_id),
            invoice_id=invoice.id,
            description=invoicing.invoice_number(invoice.number),
            return_url=wanted.return_url,
            save_method=wanted.save_method,
        ),
    )
    tx.changed(None, charge)
    return charge


async def retry(tx: Transaction, invoice_id: UUID, charge_id: UUID, wanted: WantedLink) -> Charge:
    """Intend to try again what failed of an invoice: by the saved method, or else by a link.

    Raises:
        DomainError: as `initiate_payment`; conflict, unless the transaction failed.
    """
    await charges.lock_open_of(tx, invoice_id)
    failed = await get_transaction(tx, invoice_id, charge_id)
    invoice = await invoicing.lock(tx, invoice_id)
    invoicing.check_can_be_collected(invoice)
    if failed.state is not ChargeState.FAILED:
        raise conflict("transaction_not_failed", f"the transaction is {failed.state}")
    if await charges.live_pulls_of(tx, [invoice.id]):
        raise in_flight(invoice.id)
    means = (await means_of(tx, [invoice]))[invoice.id]
    if failed.kind is ChargeKind.CHECKOUT or means.method is None:
        return await _link(tx, invoice, wanted)
    return await _pull(tx, invoice, means.method)


async def pay_by_method(tx: Transaction, invoice_id: UUID, method_id: UUID) -> Charge:
    """Intend to take what is due of an invoice by one of its customer's saved methods.

    Raises:
        DomainError: not_found, also for another customer's method; conflict, unless something is
            due, while a pull is under way, or where the method can't be charged, with the reason.
    """
    invoice = await _lock_free_of_pulls(tx, invoice_id)
    method = await methods.get_method(tx, method_id)
    if method.customer_id != invoice.customer_id:
        raise not_found("payment_method")
    means = await means_by(tx, method, invoice)
    if means.method is None:
        raise conflict("payment_method_unusable", means.reason)
    return await _pull(tx, invoice, means.method)


async def pay_from_wallet(tx: Transaction, invoice_id: UUID, wallet_id: UUID) -> None:
    """Pay all that is due of an invoice from its customer's wallet.

    Raises:
        DomainError: not_found, also for another customer's wallet; invalid (wallet_id), for one of
            another currency; conflict, unless something is due, and while a pull is under way;
            insufficient.
    """
    invoice = await _lock_free_of_pulls(tx, invoice_id)
    wallet = await wallets.get(tx, wallet_id)
    if wallet.customer_id != invoice.customer_id:
        raise not_found("wallet")
    if wallet.currency != invoice.currency:
        raise invalid({"wallet_id": f"must be a wallet in {invoice.currency}"})
    await invoicing.pay_from_wallet(tx, invoice)


async def _lock_free_of_pulls(tx: Transaction, invoice_id: UUID) -> Invoice:
    await charges.lock_open_of(tx, invoice_id)
    invoice = await invoicing.lock(tx, invoice_id)
    invoicing.check_can_be_collected(invoice)
    if await charges.live_pulls_of(tx, [invoice.id]):
        raise in_flight(invoice.id)
    return invoice


async def _pull(tx: Transaction, invoice: Invoice, method: PaymentMethod) -> Charge:
    (charge,) = await charges.create_pulls(
        tx,
        [
            NewPull(
                purpose=Purpose.INVOICE,
                amount=invoice.due,
                method=method,
                invoice_id=invoice.id,
                description=invoicing.invoice_number(invoice.number),
            )
        ],
    )
    tx.changed(None, charge)
    return charge


async def get_transaction(tx: Transaction, invoice_id: UUID, charge_id: UUID) -> Charge:
    """A charge of an invoice. Raises not_found."""
    charge = await charges.get_charge(tx, charge_id)
    if charge.invoice_id != invoice_id:
        raise not_found("transaction")
    return charge


async def list_transactions(tx: Transaction, invoice_id: UUID) -> list[Charge]:
    """An invoice's charges, newest first. Raises not_found."""
    await invoicing.get(tx, invoice_id)
    return list(reversed(await charges.charges_of(tx, invoice_id)))


async def set_up_method(
    tx: Transaction, customer: str, wanted: WantedLink, currency: str
) -> Charge:
    """Intend to make a link by which a customer's method is saved; what it takes is credited.

    Raises:
        DomainError: not_found; invalid (provider); conflict, where no link can be made.
    """
    owner = await customers.get(tx, customer)
    connection = await _connection(tx, currency, wanted.provider)
    least = adapter_of(connection.provider).capabilities.minimums.get(currency, SETUP_AMOUNT)
    charge = await charges.create_checkout(
        tx,
        NewCheckout(
            purpose=Purpose.CARD_SETUP,
            amount=Money(least, currency),
            customer_id=owner.id,
            connection_id=connection.id,
            provider=connection.provider,
            email=await _email(tx, owner.id),
            description="payment method",
            return_url=wanted.return_url,
            save_method=True,
        ),
    )
    tx.changed(None, charge)
    return charge


async def refund(tx: Transaction, invoice_id: UUID, wanted: WantedRefund) -> Refunded:
    """Intend to return what was paid of an invoice, the newest payment first, then the others.

    Nothing of the invoice falls due again. `to_wallet`: what wallet and credits paid goes back to
    them at once, money first.

    Raises:
        DomainError: not_found; invalid (transaction_id); conflict, unless something was paid, for
            more than is left, or while another refund of a payment is under way.
    """
    if wanted.to_wallet:
        made = [await _refund_sources(tx, invoice_id, wanted)]
    else:
        made = await _refund_payments(tx, invoice_id, wanted)
    refunded = Refunded(tuple(made))
    tx.changed(None, refunded)
    return refunded


async def _refund_payments(tx: Transaction, invoice_id: UUID, wanted: WantedRefund) -> list[Refund]:
    if wanted.charge_id is not None:
        await get_transaction(tx, invoice_id, wanted.charge_id)
    payments = await _lock_payments(tx, invoice_id, wanted.charge_id)
    invoice = await invoicing.lock(tx, invoice_id)
    if invoice.status not in _REFUNDED_IN:
        raise _not_refundable(invoice)
    left = reduce(EXACT.add, map(left_of, payments), Decimal(0))
    amount = _amount(wanted, min(left, invoicing.refundable(invoice).amount), invoice.currency)
    shares = shares_of_refund(payments, amount.amount)
    if len(shares) > PAYMENTS_REFUNDED_MAX:
        raise conflict(
            "refund_of_too_many_payments",
            f"it is of {len(shares)} payments, more than {PAYMENTS_REFUNDED_MAX} at once",
        )
    return [
        await refunds.create_refund(
            tx,
            NewRefund(
                amount=Money(share, invoice.currency),
                reason=wanted.reason,
                destination=Destination.PROVIDER,
                payment_id=payment.id,
                invoice_id=invoice.id,
            ),
        )
        for payment, share in shares
    ]


async def _lock_payments(
    tx: Transaction, invoice_id: UUID, charge_id: UUID | None
) -> list[Payment]:
    """An invoice's payments, or those of one charge, newest first, locked in the ids' order."""
    known = await charges.payments_of(tx, invoice_id)
    wanted = [one.id for one in known if charge_id is None or one.charge_id == charge_id]
    locked = {
        payment_id: await charges.get_payment(tx, payment_id, is_locked=True)
        for payment_id in sorted(wanted)
    }
    return [locked[payment_id] for payment_id in wanted]


async def _refund_sources(tx: Transaction, invoice_id: UUID, wanted: WantedRefund) -> Refund:
    if wanted.charge_id is not None:
        raise invalid({"transaction_id": "names no payment by wallet or credits"})
    invoice = await invoicing.lock(tx, invoice_id)
    # Of one that is not paid they get all back as it is voided.
    if invoice.status is not InvoiceStatus.PAID:
        raise _not_refundable(invoice)
    gone = await refunds.gone_back(tx, invoice.id)
    left = min(
        EXACT.subtract(invoice.wallet_paid, gone.to_sources), invoicing.refundable(invoice).amount
    )
    return await refunds.create_refund(
        tx,
        NewRefund(
            amount=_amount(wanted, left, invoice.currency),
            reason=wanted.reason,
            destination=Destination.WALLET,
            invoice_id=invoice.id,
            customer_id=invoice.customer_id,
        ),
    )


def _not_refundable(invoice: Invoice) -> DomainError:
    message = f"an invoice that is {invoice.status.value} can't be refunded"
    return conflict("invoice_state", message)


def _amount(wanted: WantedRefund, left: Decimal, currency: str) -> Money:
    amount = left if wanted.amount is None else wanted.amount
    if amount > left or not amount:
        available = Money(left, currency)
        raise conflict("refund_exceeds_payment", f"only {available} of it can go back")
    return Money(amount, currency)


async def _connection(tx: Transaction, currency: str, provider: str | None) -> Connection:
    if provider is not None and provider not in ADAPTERS:
        raise invalid({"provider": "must be a known provider"})
    connection = await connections.pick(
        tx, currency=currency, purpose=connections.Purpose.COLLECT, provider=provider
    )
    if connection is None:
        message = f"no payment connection collects {currency}"
        raise conflict("no_payment_connection", message)
    return connection


async def _email(tx: Transaction, customer_id: CustomerId) -> str:
    email = (await customers.get(tx, customer_id)).details.email
    if not email:
        raise conflict("customer_without_email", NO_EMAIL)
    return email
