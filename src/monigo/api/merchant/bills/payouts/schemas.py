"""Payouts of bills on the wire."""

from collections.abc import Sequence
from typing import Annotated, Self

from msgspec import Meta
from pydantic import Field

from monigo.api.kernel.changes import Changes
from monigo.api.kernel.wire.incoming import Incoming, Name
from monigo.api.kernel.wire.outgoing import Instant, ListEnvelope, Money, Outgoing, money_or_null
from monigo.api.merchant.bills.schemas import BillOut
from monigo.core.ids import CustomerId, InvoiceId, OrganizationId, PayoutAccountId, PayoutTransferId
from monigo.core.money import format_money
from monigo.infra.db import Transaction
from monigo.payments.transfers import TransferState
from monigo.payouts import BillTransaction, Payout, PayoutState

# How each state is written in the contract's words; `state` has the exact one.
_STATUSES = {
    TransferState.SUCCEEDED: "succeeded",
    TransferState.FAILED: "failed",
    TransferState.REVERSED: "reversed",
}
# Of which nobody knows yet whether it arrived.
UNDECIDED = frozenset({TransferState.CREATED, TransferState.SUBMITTED, TransferState.UNKNOWN})


class HoldIn(Incoming):
    """Why a payout is stopped."""

    reason: Name = Field(min_length=1, examples=["the trips are being looked at"])


class PasswordIn(Incoming):
    """The one-time password by which a provider has the merchant confirm a transfer; not kept."""

    otp: str = Field(min_length=4, max_length=20, pattern="^[0-9A-Za-z]+$", examples=["123456"])


class PayoutOut(Outgoing, frozen=True):
    """How far the payout of a bill has come."""

    bill_id: InvoiceId
    state: PayoutState
    reason: str
    hold_reason: str
    held_by: str | None
    held_at: Instant | None
    initiated_by: str | None
    initiated_at: Instant | None

    @classmethod
    def of(cls, _tx: Transaction, payout: Payout) -> Self:
        """The wire form."""
        hold = payout.hold
        return cls(
            bill_id=payout.bill_id,
            state=payout.state,
            reason=payout.reason,
            hold_reason=hold.reason if hold else "",
            held_by=hold.by if hold else None,
            held_at=hold.at if hold else None,
            initiated_by=payout.initiated_by,
            initiated_at=payout.initiated_at,
        )


class BillTransactionOut(Outgoing, frozen=True):
    """One try to pay a bill out, or a part of it; `account_number` has its last digits only."""

    id: PayoutTransferId
    org_id: OrganizationId
    bill_id: InvoiceId
    customer_id: CustomerId
    payout_account_id: PayoutAccountId
    payout_method: str
    bank_name: str
    bank_code: str
    account_name: str
    account_number: Annotated[str, Meta(examples=["******0031"])]
    amount: Annotated[Money, Meta(description="what is sent, of all bills that it pays")]
    bill_amount: Annotated[Money, Meta(description="what it pays of this bill")]
    currency: str
    fee: Annotated[Money | None, Meta(description="what the provider took for it, once known")]
    status: Annotated[str, Meta(description="pending, succeeded, failed or reversed")]
    state: TransferState
    needs_otp: bool
    is_excess: Annotated[bool, Meta(description="the payee has it beside what was owed")]
    provider: str
    reference: Annotated[str, Meta(description="ours, by which the provider knows it")]
    provider_transaction_id: str
    session_id: Annotated[str, Meta(description="by which the payee's bank finds it")]
    error_code: str | None
    error_message: Annotated[str | None, Meta(description="in the provider's words")]
    narration: str
    submitted_at: Instant | None
    settled_at: Instant | None
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, tx: Transaction, one: BillTransaction) -> Self:
        """The wire form."""
        transfer, to, failure = one.transfer, one.transfer.to, one.transfer.failure
        return cls(
            id=transfer.id,
            org_id=tx.org_id,
            bill_id=one.bill_id,
            customer_id=transfer.customer_id,
            payout_account_id=to.payout_account_id,
            payout_method=to.method.value,
            bank_name=to.bank_name,
            bank_code=to.bank_code,
            account_name=to.account_name,
            account_number=f"******{to.last4}",
            amount=format_money(transfer.amount.amount),
            bill_amount=format_money(one.amount),
            currency=transfer.amount.currency,
            fee=money_or_null(transfer.fee.amount if transfer.fee else None),
            status=_STATUSES.get(transfer.state, "pending"),
            state=transfer.state,
            needs_otp=transfer.needs_otp,
            is_excess=one.is_excess,
            provider=transfer.provider,
            reference=transfer.reference,
            provider_transaction_id=transfer.provider_id,
            session_id=transfer.rail_id,
            error_code=failure.code if failure else None,
            error_message=(failure.reason or failure.code) if failure else None,
            narration=transfer.narration,
            submitted_at=transfer.submitted_at,
            settled_at=transfer.settled_at,
            created_at=transfer.created_at,
            updated_at=transfer.settled_at or transfer.asked_at or transfer.created_at,
        )


class BillTransactionList(ListEnvelope, frozen=True):
    """A bill's transactions, newest first."""

    transactions: list[BillTransactionOut]


class BillTransactionEnvelope(Outgoing, frozen=True):
    """One try to pay a bill out."""

    transaction: BillTransactionOut


class InitiatedPayoutOut(Outgoing, frozen=True):
    """A bill whose payout was begun, and what was sent of it."""

    bill: BillOut
    transactions: list[BillTransactionOut]

    @property
    def is_undecided(self) -> bool:
        """Whether nobody knows yet if some of it arrived."""
        return any(one.state in UNDECIDED for one in self.transactions)

    @classmethod
    def of(cls, tx: Transaction, bill: BillOut, found: Sequence[BillTransaction]) -> Self:
        """The wire form."""
        return cls(bill, [BillTransactionOut.of(tx, one) for one in found])


PAYOUT = Changes("payout", Payout, PayoutOut.of)
TRANSACTION = Changes("payout_transaction", BillTransaction, BillTransactionOut.of)
