"""Charges: tries to take money from customers."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from monigo.core.ids import (
    ChargeId,
    ConnectionId,
    CustomerId,
    InvoiceId,
    PaymentMethodId,
    TopUpId,
    WalletId,
)
from monigo.core.money import Money
from monigo.payments.methods import PaymentMethod
from monigo.payments.received import Purpose


class ChargeKind(StrEnum):
    """How money is asked for: pulled from a saved method, or by a link that the customer pays."""

    PULL = "pull"
    CHECKOUT = "checkout"


class ChargeState(StrEnum):
    """How far a charge has come. A created one was not sent, a submitted one may have arrived."""

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
        ChargeState.CREATED,
        ChargeState.SUBMITTED,
        ChargeState.PENDING,
        ChargeState.UNKNOWN,
        ChargeState.NEEDS_ACTION,
    }
)


class OwnCode(StrEnum):
    """Why a charge failed without a provider's word, beside the codes that providers have."""

    # Another charge took its place, or what it was for is paid.
    SUPERSEDED = "superseded"
    # The provider has it, and its link is lost.
    LINK_LOST = "link_lost"
    # The money came and went back before anybody knew of it.
    REVERSED = "reversed"
    # A person looked it up at the provider.
    RESOLVED = "resolved"
    # A customer did not do what was needed in time.
    GIVEN_UP = "given_up"


class Failure(Struct, frozen=True):
    """Why money did not go, or why it waits: a code, the provider's words, for good?"""

    code: str
    reason: str
    is_final: bool


class Resolution(Struct, frozen=True):
    """What a person said of a charge that nothing was known of. `at` is an instant of real time."""

    by: str
    at: datetime
    outcome: ChargeState
    note: str


class Charge(Struct, frozen=True, kw_only=True):
    """One try to take money from a customer.

    `amount` is what is asked for. `created_at` and `settled_at` are instants of the tenant's time,
    the others of real time: `submitted_at` is the first try to send it, `sent_at` the last.
    `failure` of a live link is its last attempt's. `is_contradicted` says that the
    provider said later something else than the person who resolved it.
    """

    id: ChargeId
    kind: ChargeKind
    purpose: Purpose
    customer_id: CustomerId
    invoice_id: InvoiceId | None = None
    wallet_id: WalletId | None = None
    top_up_id: TopUpId | None = None
    connection_id: ConnectionId
    provider: str
    method_id: PaymentMethodId | None = None
    attempt: int
    reference: str
    amount: Money
    description: str = ""
    email: str = ""
    return_url: str = ""
    save_method: bool = False
    is_inline: bool = False
    actor: str
    state: ChargeState = ChargeState.CREATED
    failure: Failure | None = None
    provider_id: str = ""
    url: str = ""
    access_code: str = ""
    expires_at: datetime | None = None
    created_at: datetime
    submitted_at: datetime | None = None
    sent_at: datetime | None = None
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


class NewPull(Struct, frozen=True, kw_only=True):
    """A pull to be made, from a saved method. `is_unattended`: nobody waits for the answer."""

    purpose: Purpose
    amount: Money
    method: PaymentMethod
    invoice_id: InvoiceId | None = None
    wallet_id: WalletId | None = None
    top_up_id: TopUpId | None = None
    description: str = ""
    is_unattended: bool = False


class NewCheckout(Struct, frozen=True, kw_only=True):
    """A link to be made. `is_inline`: a provider's widget makes it, and nothing is sent."""

    purpose: Purpose
    amount: Money
    customer_id: CustomerId
    connection_id: ConnectionId
    provider: str
    email: str
    invoice_id: InvoiceId | None = None
    wallet_id: WalletId | None = None
    description: str = ""
    return_url: str = ""
    save_method: bool = False
    is_inline: bool = False


class AppliedState(StrEnum):
    """What was made of a provider's fact."""

    # It counts, or did so before.
    APPLIED = "applied"
    # Nothing of ours is called so, yet.
    UNKNOWN_REFERENCE = "unknown_reference"
    # What it may be about is under way; it is tried again.
    NOT_YET = "not_yet"
    # It is of ours, and does not fit: a person decides.
    REFUSED = "refused"
    # It says nothing that matters here.
    IGNORED = "ignored"


class Applied(Struct, frozen=True):
    """What was made of a provider's fact, and why."""

    state: AppliedState
    reason: str = ""


class ChargeSubmission(Struct, frozen=True):
    """The question which of these charges are not to be sent any more; sources answer refusals.

    It is asked in the transaction after which the charges are sent.
    """

    charges: Sequence[Charge]


class Refusal(Struct, frozen=True):
    """Why a charge is not sent: it is paid for by now, or something else is due."""

    charge_id: ChargeId
    reason: str
