"""What providers say, in one form: facts of payments, and outcomes of what was asked."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from monigo.core.money import Money
from monigo.providers.port.intents import Kind, PayoutMethod


class State(StrEnum):
    """Where a payment stands by a provider's word."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    PENDING = "pending"
    NEEDS_ACTION = "needs_action"
    REVERSED = "reversed"
    UNKNOWN = "unknown"


class FailureCode(StrEnum):
    """Why something failed, as far as what follows depends on it."""

    # Of the payer's method.
    DECLINED = "declined"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    EXPIRED_METHOD = "expired_method"
    DO_NOT_RETRY = "do_not_retry"
    AUTHENTICATION_FAILED = "authentication_failed"
    INVALID_METHOD = "invalid_method"
    WRONG_AMOUNT = "wrong_amount"
    # Of the merchant's account at the provider.
    INSUFFICIENT_BALANCE = "insufficient_balance"
    UNAUTHORIZED = "unauthorized"
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    NOT_PERMITTED = "not_permitted"
    LIMIT_EXCEEDED = "limit_exceeded"
    # Of what was asked.
    INVALID_RECIPIENT = "invalid_recipient"
    INVALID_REQUEST = "invalid_request"
    NOT_FOUND = "not_found"
    BATCH_REFUSED = "batch_refused"
    # Of how it went.
    ABANDONED = "abandoned"
    EXPIRED = "expired"
    REJECTED = "rejected"
    NOT_SENT = "not_sent"
    OTHER = "other"


class Cause(StrEnum):
    """Why nothing is known; in each case the next step is to ask."""

    TIMED_OUT = "timed_out"
    CONNECTION_LOST = "connection_lost"
    SERVER_ERROR = "server_error"
    RATE_LIMITED = "rate_limited"
    UNREADABLE = "unreadable"
    UNRECOGNIZED = "unrecognized"
    # The reference was sent before: what it made is what counts.
    DUPLICATE = "duplicate"
    # A look-up found nothing, which is no proof for some minutes.
    NOT_FOUND = "not_found"
    # A question about something sent before was refused, or could not be put.
    REFUSED = "refused"


class SavedMethod(Struct, frozen=True, kw_only=True):
    """A card or account that the provider lets us charge again, by its token.

    `fingerprint` is the same for the same card, however often it is saved.
    """

    token: str
    is_reusable: bool
    channel: str = "card"
    brand: str = ""
    last4: str = ""
    exp_month: str = ""
    exp_year: str = ""
    bank: str = ""
    fingerprint: str = ""
    email: str = ""

    def __repr__(self) -> str:
        return f"SavedMethod(…{self.last4})"


class OpenedAccount(Struct, frozen=True, kw_only=True):
    """A virtual account as the provider opened it; `customer` is what it calls its owner."""

    account_number: str
    account_name: str
    bank_name: str
    currency: str
    bank_code: str = ""
    provider_id: str = ""
    reference: str = ""
    customer: str = ""
    is_active: bool = True


class Fact(Struct, frozen=True, kw_only=True):
    """What a provider says of one payment, in a webhook, an answer or a row of a list.

    `reference` is ours, and empty where the provider gives its own. `provider_id` is the
    provider's; a deposit's identity is this. `rail_id` is the receipt or session id of the bank or
    network, the second identity by which two channels that report one payment meet. `amount` is
    without what the payer bore of the fee, `fee` is all of it. `is_final` says that the provider
    won't change this row any more, but for a reversal. A deposit whose `reference` is a
    checkout's pays that. `is_being_paid` says of a checkout that its payer has begun, where the
    provider distinguishes that from a link that nobody has opened. Of a dispute: succeeded is lost
    (the money went back), failed is won.
    """

    kind: Kind
    state: State
    reference: str = ""
    provider_id: str = ""
    rail_id: str = ""
    amount: Money | None = None
    fee: Money | None = None
    fee_by_payer: Money | None = None
    is_final: bool = False
    code: FailureCode | None = None
    reason: str = ""
    occurred_at: datetime | None = None
    is_being_paid: bool = False
    # Of a transfer: what it waits for is the one-time password; else a person at the provider's.
    needs_otp: bool = False
    # Of a deposit: into which account, by its number and by our reference or the owner's code.
    account_number: str = ""
    account_reference: str = ""
    customer: str = ""
    # Of a refund or dispute: what was charged, and our reference in the refund's note.
    charge_reference: str = ""
    charge_id: str = ""
    note: str = ""
    method: SavedMethod | None = None
    account: OpenedAccount | None = None


class AccountHolder(Struct, frozen=True):
    """In whose name an account is."""

    number: str
    name: str


class Bank(Struct, frozen=True, kw_only=True):
    """A bank or network; codes are text with leading zeros, and each provider has its own."""

    code: str
    name: str
    country: str
    currency: str
    method: PayoutMethod = PayoutMethod.BANK_TRANSFER


class Facts(Struct, frozen=True):
    """A page of a list; None as the next page where it was the last."""

    facts: tuple[Fact, ...]
    next_page: int | None = None


class Batch(Struct, frozen=True):
    """What became of each transfer of a bulk, by its reference."""

    outcomes: Mapping[str, "Outcome"]
    provider_id: str = ""


class Tokens(Struct, frozen=True):
    """What the provider calls things: accounts by code and number, a customer by their e-mail."""

    by_name: Mapping[str, str]
    refused: Mapping[str, str]


Result = (
    OpenedAccount | AccountHolder | tuple[Bank, ...] | tuple[Money, ...] | Facts | Batch | Tokens
)


class Succeeded(Struct, frozen=True, kw_only=True):
    """Definite: it was done. `fact` is about a payment, `result` what was asked for otherwise."""

    fact: Fact | None = None
    result: Result | None = None


class Failed(Struct, frozen=True, kw_only=True):
    """Definite: nothing moved.

    If `is_final`, the provider has a row of it, and its reference will never succeed; a new try
    needs a new one. If not, nothing was made, and the same reference may be sent again.
    """

    code: FailureCode
    reason: str
    is_final: bool
    fact: Fact | None = None


class Pending(Struct, frozen=True, kw_only=True):
    """The provider has it and has not decided."""

    fact: Fact | None = None


class NeedsAction(Struct, frozen=True, kw_only=True):
    """The provider waits for a person: at a `url`, or for the one-time password it sent."""

    url: str = ""
    needs_otp: bool = False
    access_code: str = ""
    provider_id: str = ""
    fact: Fact | None = None


class Reversed(Struct, frozen=True, kw_only=True):
    """Definite: the money went, or seemed to go, and came back."""

    fact: Fact


class Unknown(Struct, frozen=True, kw_only=True):
    """Nothing is known of it, and it may have been done: ask, under the same reference."""

    cause: Cause
    detail: str = ""


Outcome = Succeeded | Failed | Pending | NeedsAction | Reversed | Unknown


def outcome_of(fact: Fact) -> Outcome:
    """What a fact says of the payment that was asked about."""
    match fact.state:
        case State.SUCCEEDED:
            return Succeeded(fact=fact)
        case State.FAILED:
            code = fact.code or FailureCode.OTHER
            return Failed(code=code, reason=fact.reason, is_final=fact.is_final, fact=fact)
        case State.PENDING:
            return Pending(fact=fact)
        case State.NEEDS_ACTION:
            named = fact.provider_id
            return NeedsAction(needs_otp=fact.needs_otp, provider_id=named, fact=fact)
        case State.REVERSED:
            return Reversed(fact=fact)
        case State.UNKNOWN:
            return Unknown(cause=Cause.UNRECOGNIZED, detail=fact.reason)
