"""Payouts: how what is owed by final bills comes to the payees' accounts."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from monigo.core.ids import CustomerId, InvoiceId, PayoutAccountId, PayoutLegId, PayoutTransferId
from monigo.core.money import Money
from monigo.payments.transfers import Transfer


class PayoutState(StrEnum):
    """How far the payout of a final bill has come."""

    # It is looked at next.
    DUE = "due"
    # Somebody is to initiate it.
    NEEDS_APPROVAL = "needs_approval"
    # The payee's next payout carries it.
    BELOW_MINIMUM = "below_minimum"
    # Something is missing without which nothing can be sent.
    BLOCKED = "blocked"
    SENDING = "sending"
    PAID = "paid"
    # A transfer failed, or came back.
    FAILED = "failed"
    VOID = "void"


class Hold(Struct, frozen=True):
    """Why nothing of a bill is sent, who said so and when."""

    reason: str
    by: str
    at: datetime


class Payout(Struct, frozen=True, kw_only=True):
    """How far the payout of a final bill has come, and why it is not paid yet.

    `initiated_by` is who, or which job, had it sent last.
    """

    bill_id: InvoiceId
    customer_id: CustomerId
    currency: str
    state: PayoutState
    reason: str = ""
    hold: Hold | None = None
    initiated_by: str | None = None
    initiated_at: datetime | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def id(self) -> UUID:
        """The bill's, of which it is the payout."""
        return self.bill_id


class LegState(StrEnum):
    """Where a leg stands: it is owed, a transfer has it, or it arrived."""

    OWED = "owed"
    SENDING = "sending"
    PAID = "paid"


class Leg(Struct, frozen=True, kw_only=True):
    """What of a bill goes to one account.

    Without `to_account_id` that is the default account that the payee has as it is sent.
    `transfer_id` is the transfer that has it, or that paid it. `is_in_flight`: the books have its
    amount as on its way. `payee_id` owns the account that it was sent to last.
    """

    id: PayoutLegId
    bill_id: InvoiceId
    position: int
    customer_id: CustomerId
    to_account_id: PayoutAccountId | None
    amount: Money
    state: LegState = LegState.OWED
    is_in_flight: bool = False
    transfer_id: PayoutTransferId | None = None
    payee_id: CustomerId | None = None
    failure_code: str = ""
    failure_reason: str = ""
    created_at: datetime
    sent_at: datetime | None = None
    settled_at: datetime | None = None


class BillTransaction(Struct, frozen=True):
    """A transfer that was to pay `amount` of a bill, and more, where it carries others, too."""

    bill_id: InvoiceId
    transfer: Transfer
    amount: Decimal
    is_excess: bool

    @property
    def id(self) -> UUID:
        """The transfer's."""
        return self.transfer.id


class Part(Struct, frozen=True):
    """What a transfer pays of a leg; `is_excess`: the payee has it beside what was owed."""

    transfer_id: PayoutTransferId
    leg_id: PayoutLegId
    amount: Decimal
    is_excess: bool = False


class BillPart(Struct, frozen=True):
    """What a transfer pays of a bill."""

    transfer_id: PayoutTransferId
    amount: Decimal
    is_excess: bool


class Word(StrEnum):
    """What became of a transfer."""

    SUBMITTED = "submitted"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REVERSED = "reversed"
    # What its provider took for it, after it had arrived.
    FEE_KNOWN = "fee_known"
    # It arrived beside another one of the same leg.
    PAID_TWICE = "paid_twice"


class Effect(StrEnum):
    """What a word about a transfer does to a leg in the books."""

    # It is on its way.
    SUBMITTED = "submitted"
    # It arrived, having been on its way in the books, or not.
    PAID = "paid"
    PAID_AT_ONCE = "paid_at_once"
    # It is owed as before.
    RETURNED = "returned"
    # It had arrived, and is owed again.
    REOPENED = "reopened"
    # The payee has it beside what was owed; and that came back.
    EXCESS = "excess"
    EXCESS_RETURNED = "excess_returned"


class Target(Struct, frozen=True):
    """The account that something is to be sent to: whose it is, and since when it is as it is.

    `is_first`: nothing arrived at an account of that payee's before.
    """

    account_id: PayoutAccountId
    payee_id: CustomerId
    changed_at: datetime
    is_first: bool


class Wanted(Struct, frozen=True):
    """What would be sent of a payee's bills, and to which accounts.

    `sent_today` is what was sent to each of the accounts' owners since the day began, `shares` is
    what each of them would get.
    """

    amount: Money
    targets: tuple[Target, ...]
    shares: Mapping[CustomerId, Decimal]
    sent_today: Mapping[CustomerId, Decimal]


class Batch(Struct, frozen=True):
    """What was sent in this hour so far, and at most in one of the last 30 days; None: nothing."""

    sent: Decimal
    largest: Decimal | None
