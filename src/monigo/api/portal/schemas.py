"""What invoices, bills and their transactions have in common on the portal's wire."""

from typing import Self

from monigo.api.kernel.wire.outgoing import Instant, Money, Outgoing, Quantity, UnitPrice
from monigo.api.merchant.bills.payouts.schemas import BillTransactionOut
from monigo.api.merchant.invoices.payments.schemas import InvoiceTransactionOut
from monigo.api.portal.paging import PortalList
from monigo.core.ids import ChargeId, LineItemId, PayoutTransferId
from monigo.core.money import format_decimal, format_money, format_unit_price
from monigo.infra.db import Transaction
from monigo.invoicing import LineKind, StoredLine
from monigo.payments.charges import Charge
from monigo.payouts import BillTransaction


class PortalLineOut(Outgoing, frozen=True):
    """A line of an invoice or bill, as its customer reads it."""

    id: LineItemId
    kind: LineKind
    description: str
    group_value: str
    quantity: Quantity
    unit_price: UnitPrice
    amount: Money
    period_start: Instant
    period_end: Instant

    @classmethod
    def of(cls, stored: StoredLine) -> Self:
        """The wire form."""
        line = stored.line
        return cls(
            id=stored.id,
            kind=line.kind,
            description=line.description,
            group_value=line.group_value,
            quantity=format_decimal(line.quantity),
            unit_price=format_unit_price(line.unit_price),
            amount=format_money(line.amount),
            period_start=line.period.start,
            period_end=line.period.end,
        )


class PortalTransactionOut(Outgoing, frozen=True):
    """One try to move money, from the customer or to the customer."""

    id: ChargeId | PayoutTransferId
    amount: Money
    currency: str
    status: str
    provider: str
    reference: str
    created_at: Instant

    @classmethod
    def of_charge(cls, tx: Transaction, charge: Charge) -> Self:
        """The wire form of what was to be taken."""
        shown = InvoiceTransactionOut.of(tx, charge)
        return cls(
            id=shown.id,
            amount=shown.amount,
            currency=shown.currency,
            status=shown.status,
            provider=shown.provider,
            reference=shown.reference,
            created_at=shown.created_at,
        )

    @classmethod
    def of_transfer(cls, tx: Transaction, one: BillTransaction) -> Self:
        """The wire form of what was to be sent: of one bill its own part."""
        shown = BillTransactionOut.of(tx, one)
        return cls(
            id=shown.id,
            amount=shown.bill_amount,
            currency=shown.currency,
            status=shown.status,
            provider=shown.provider,
            reference=shown.reference,
            created_at=shown.created_at,
        )


class PortalTransactionList(PortalList, frozen=True):
    """Tries to move money, newest first."""

    transactions: list[PortalTransactionOut]
