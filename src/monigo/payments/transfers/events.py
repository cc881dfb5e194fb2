"""The facts of transfers."""

from decimal import Decimal

from monigo.core.ids import ConnectionId, CustomerId, InvoiceId, PayoutLegId, PayoutTransferId
from monigo.infra.outbox import Fact


class TransferFact(Fact, frozen=True, kw_only=True):
    """Something that happened to a transfer; `fee` is what its provider took for it, if known."""

    subject = "transfer"
    subject_field = "transfer_id"
    transfer_id: PayoutTransferId
    leg_id: PayoutLegId
    bill_id: InvoiceId
    customer_id: CustomerId
    connection_id: ConnectionId
    provider: str
    reference: str
    currency: str
    amount: Decimal
    fee: Decimal | None


class TransferSubmitted(TransferFact, frozen=True, kw_only=True):
    """A transfer is sent for the first time; from now on its payee may get it."""


class TransferSucceeded(TransferFact, frozen=True, kw_only=True):
    """A leg is paid; `was_excess` by a transfer that was listed as paid twice before."""

    was_excess: bool


class TransferFailed(TransferFact, frozen=True, kw_only=True):
    """A transfer failed, and its payee got nothing; `reason` is in the provider's words.

    If `is_final`, the provider has a row of it. `was_submitted`: it was sent before.
    """

    code: str
    reason: str
    is_final: bool
    was_submitted: bool


class TransferFeeKnown(TransferFact, frozen=True, kw_only=True):
    """What its provider took for a transfer was known only some time after it had arrived."""


class TransferReversed(TransferFact, frozen=True, kw_only=True):
    """A payee had it, and the money came back; `was_excess`: the leg was paid by another one.

    `fee` is what was known to be taken as it arrived; it came back, too.
    """

    was_excess: bool


class TransferNeedsAction(TransferFact, frozen=True, kw_only=True):
    """A provider waits for a person; if `needs_otp`, for the one-time password that it sent."""

    needs_otp: bool


class TransferDelayed(TransferFact, frozen=True, kw_only=True):
    """A transfer waits, for there is too little money at the provider."""

    code: str
    reason: str


class TransferPaidTwice(TransferFact, frozen=True, kw_only=True):
    """A transfer that had failed was paid after all, beside another one of the same leg.

    `other_id` has paid it, or is on its way. What this one brought is owed by the payee.
    """

    other_id: PayoutTransferId
    is_other_paid: bool
