"""Money that came in at a provider, and where it went."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from monigo.core.ids import (
    ChargeId,
    ConnectionId,
    CustomerId,
    InvoiceId,
    PaymentId,
    TopUpId,
    WalletId,
)
from monigo.core.money import EXACT, Money


class Purpose(StrEnum):
    """What money is for."""

    INVOICE = "invoice"
    WALLET = "wallet"
    TOP_UP = "top_up"
    CARD_SETUP = "card_setup"
    # It fits nothing, is nobody's, and goes back.
    UNMATCHED = "unmatched"


class PaymentKind(StrEnum):
    """Whether money was asked for, or came by itself."""

    CHARGE = "charge"
    DEPOSIT = "deposit"


class Receipt(Struct, frozen=True, kw_only=True):
    """Money that a provider says came in, to be counted once by the provider's id.

    `amount` is what the customer is credited, `fee` all of the fee, `fee_by_payer` what of it the
    payer bore beside the amount. Of a charge: `reference` is ours, `asked` what it asked for. What
    is unmatched is of no customer.
    """

    kind: PaymentKind
    purpose: Purpose
    connection_id: ConnectionId
    provider: str
    provider_id: str
    rail_id: str = ""
    customer_id: CustomerId | None
    amount: Money
    fee: Decimal = Decimal(0)
    fee_by_payer: Decimal = Decimal(0)
    occurred_at: datetime | None = None
    reference: str = ""
    asked: Money | None = None
    charge_id: ChargeId | None = None
    virtual_account_id: UUID | None = None
    invoice_id: InvoiceId | None = None
    wallet_id: WalletId | None = None
    top_up_id: TopUpId | None = None
    is_by_person: bool = False


class Payment(Struct, frozen=True, kw_only=True):
    """Money that came in at a provider, and where it went.

    `refunded` counts pending refunds and lost disputes, too; `reversed` is what the provider took
    back; `beyond` is what refunds sent back after all of it had gone. `received_at` is an instant
    of the tenant's time. Only what is unmatched is of no customer.
    """

    id: PaymentId
    kind: PaymentKind
    purpose: Purpose
    connection_id: ConnectionId
    provider: str
    provider_id: str
    rail_id: str
    reference: str
    charge_id: ChargeId | None
    virtual_account_id: UUID | None
    customer_id: CustomerId | None
    amount: Money
    fee: Decimal
    fee_by_payer: Decimal
    is_by_person: bool
    occurred_at: datetime | None
    received_at: datetime
    invoice_id: InvoiceId | None
    to_invoice: Decimal
    wallet_id: WalletId | None
    to_wallet: Decimal
    refunded: Decimal
    reversed: Decimal
    beyond: Decimal = Decimal(0)

    @property
    def refundable(self) -> Money:
        """What of it has not gone back, and is not about to."""
        left = EXACT.subtract(EXACT.subtract(self.amount.amount, self.refunded), self.reversed)
        return Money(left, self.amount.currency)


class Placement(Struct, frozen=True, kw_only=True):
    """Where all of a payment went: to an invoice, to a wallet, or to both."""

    payment_id: PaymentId
    invoice_id: InvoiceId | None = None
    to_invoice: Decimal = Decimal(0)
    wallet_id: WalletId | None = None
    to_wallet: Decimal = Decimal(0)
