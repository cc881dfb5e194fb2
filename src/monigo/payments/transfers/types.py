"""Transfers: tries to pay legs of bills out to payees."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from monigo.core.ids import (
    ConnectionId,
    CustomerId,
    InvoiceId,
    PayoutAccountId,
    PayoutLegId,
    PayoutTransferId,
    TransferBatchId,
)
from monigo.core.money import Money
from monigo.payments.charges import Failure
from monigo.providers.port import PayoutMethod


class TransferState(StrEnum):
    """How far a transfer has come. A created one did not arrive, a submitted one may have."""

    CREATED = "created"
    SUBMITTED = "submitted"
    PENDING = "pending"
    UNKNOWN = "unknown"
    NEEDS_ACTION = "needs_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REVERSED = "reversed"


LIVE = frozenset(
    {
        TransferState.CREATED,
        TransferState.SUBMITTED,
        TransferState.PENDING,
        TransferState.UNKNOWN,
        TransferState.NEEDS_ACTION,
    }
)


class OwnCode(StrEnum):
    """Why a transfer failed without a provider's word, beside the codes that providers have."""

    # What it was for is paid or stopped; it was never sent.
    STOPPED = "stopped"
    # The money went and came back before anybody knew of it.
    REVERSED = "reversed"
    # A person looked it up at the provider.
    RESOLVED = "resolved"


class Resolution(Struct, frozen=True):
    """What a person said of a transfer of which nothing was known. `at` is of real time."""

    by: str
    at: datetime
    outcome: TransferState
    note: str


class Destination(Struct, frozen=True, kw_only=True):
    """The payee's account as it was when the transfer was made; its number is encrypted."""

    payout_account_id: PayoutAccountId
    method: PayoutMethod
    bank_code: str
    bank_name: str
    account_name: str
    number_ciphertext: bytes
    last4: str


class Transfer(Struct, frozen=True, kw_only=True):
    """One try to pay one leg of a bill.

    `created_at` and `settled_at` are instants of the tenant's time, the others of real time:
    `submitted_at` is the first try to send it, `sent_at` the last, `waiting_since` since when it
    could not be sent. `failure` of a live one says why it waits. `is_alone`: it is not sent
    in bulk. `is_excess`: the payee has it beside another transfer of the leg. `rail_id` proves it
    to the payee's bank. `is_contradicted` says that the provider said later something else than the
    person who resolved it.
    """

    id: PayoutTransferId
    leg_id: PayoutLegId
    bill_id: InvoiceId
    customer_id: CustomerId
    to: Destination
    connection_id: ConnectionId
    provider: str
    attempt: int
    reference: str
    amount: Money
    narration: str = ""
    actor: str
    state: TransferState = TransferState.CREATED
    needs_otp: bool = False
    is_alone: bool = False
    is_excess: bool = False
    failure: Failure | None = None
    batch_id: TransferBatchId | None = None
    provider_id: str = ""
    rail_id: str = ""
    fee: Money | None = None
    created_at: datetime
    submitted_at: datetime | None = None
    sent_at: datetime | None = None
    waiting_since: datetime | None = None
    settled_at: datetime | None = None
    asked: int = 0
    asked_at: datetime | None = None
    first_not_found_at: datetime | None = None
    needs_person_at: datetime | None = None
    resolution: Resolution | None = None
    is_contradicted: bool = False

    @property
    def is_live(self) -> bool:
        """Whether its end is open."""
        return self.state in LIVE

    @property
    def is_in_flight(self) -> bool:
        """Whether the payee may get it: it may have arrived, and its end is open."""
        return self.is_live and self.state is not TransferState.CREATED

    @property
    def has_paid(self) -> bool:
        """Whether its leg is paid by it."""
        return self.state is TransferState.SUCCEEDED and not self.is_excess


class NewTransfer(Struct, frozen=True, kw_only=True):
    """A leg that is to be paid. `is_awaited`: somebody waits for the answer, and has it sent."""

    leg_id: PayoutLegId
    bill_id: InvoiceId
    customer_id: CustomerId
    payout_account_id: PayoutAccountId
    amount: Money
    narration: str = ""
    is_awaited: bool = False


class TransferSubmission(Struct, frozen=True):
    """The question which of these transfers are not to be sent any more.

    It is gathered from all who have a say in the transaction after which they are sent; each
    refusal names a transfer of them.
    """

    transfers: tuple[Transfer, ...]


class Refusal(Struct, frozen=True):
    """Why a transfer is not to be sent."""

    transfer_id: PayoutTransferId
    reason: str
