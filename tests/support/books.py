"""What the books have of a tenant, and what nothing on the wire does to them yet."""

from decimal import Decimal
from uuid import UUID

from monigo import books, invoicing
from monigo.core.money import Money
from monigo.infra.ids import new_id
from monigo.invoicing import booking
from monigo.invoicing.documents import InvoicePayment, Received, settle
from monigo.ledger import AccountKind

FAIL = "UPDATE invoices SET status = $4 WHERE org_id = $1 AND is_test = $2 AND id = $3"


def balances(api, currency="NGN", at=None):
    """What accounts of each kind hold, without those that hold nothing."""

    async def read(tx):
        return await books.trial_balance(tx, at or tx.now)

    totals = in_transaction(api, read)
    return {
        one.kind.value: one.balance for one in totals if one.currency == currency and one.balance
    }


def write_off(api, invoice_id):
    """Have a final invoice uncollectible."""

    async def change(tx):
        before = await invoicing.get(tx, UUID(invoice_id), for_update=True)
        for status in ("payment_failed", "uncollectible"):
            if status != before.status.value:
                await tx.execute(FAIL, before.id, status)
        await books.post(tx, [booking.written_off(before)])

    in_transaction(api, change)


def receive(api, invoice_id, amount, *, is_by_provider=True):
    """Take money for an invoice as a provider's payment, or as received elsewhere."""

    async def take(tx):
        document = await invoicing.get(tx, UUID(invoice_id), for_update=True)
        money = Money(Decimal(amount), document.currency)
        received = Received(money, "ref", tx.now, is_by_provider=is_by_provider)
        return (await settle(tx, [InvoicePayment(document, received)]))[0]

    return in_transaction(api, take)


def post(api, *bookings):
    """Post bookings in one transaction."""
    return in_transaction(api, lambda tx: books.post(tx, bookings))


def subject(customer_id, reference="x", currency="NGN"):
    return books.Subject(UUID(customer_id), currency, "charge", reference)


def in_transaction(api, work):
    async def run():
        async with api.backend.services.database.transaction(api.tenant) as tx:
            return await work(tx)

    return api.backend.run(run())


def account(customer_id, kind, currency="NGN"):
    return books.account_id(UUID(customer_id), currency, AccountKind(kind))


def reference():
    return str(new_id())
