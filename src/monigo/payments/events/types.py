"""Provider events: webhooks as they came, and what became of them."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from monigo.core.ids import ConnectionId, InvoiceId, ProviderEventId, RefundId, WalletId
from monigo.core.money import Money
from monigo.infra.db import Transaction
from monigo.payments.charges import Applied
from monigo.providers.port import Fact, Kind, State


class EventState(StrEnum):
    """What became of an event."""

    # Stored, and not worked off yet.
    RECEIVED = "received"
    # What it says is in our rows.
    APPLIED = "applied"
    # It is about something of ours and fits nothing yet; it may be tried again by itself.
    PARKED = "parked"
    # An error of ours; it is tried again.
    FAILED = "failed"
    # It is about nothing of ours, such as a payment in the merchant's own shop.
    FOREIGN = "foreign"
    # A person said what it pays.
    MATCHED = "matched"
    # A person said that nothing follows from it.
    IGNORED = "ignored"
    # A person said that its money goes back to who paid it.
    REFUNDED = "refunded"


# What waits for a row of ours, or for a person: the inbox.
WAITING = frozenset({EventState.PARKED, EventState.FAILED})
# What can still be worked off.
OPEN = WAITING | {EventState.RECEIVED}


class Summary(Struct, frozen=True, kw_only=True):
    """What an event says of a payment, as far as it is kept in the clear.

    `amount` is without what the payer bore of the fee. `account` is an account number's last
    digits. With `is_confirmed` it is what the provider said when it was asked, or what its
    signature proves; else somebody only claims it.
    """

    kind: Kind | None = None
    state: State | None = None
    reference: str = ""
    provider_id: str = ""
    rail_id: str = ""
    amount: Money | None = None
    fee: Money | None = None
    fee_by_payer: Money | None = None
    occurred_at: datetime | None = None
    account: str = ""
    is_confirmed: bool = False


class ProviderEvent(Struct, frozen=True, kw_only=True):
    """An event as it stands. Instants are real.

    `is_proven` says that its signature proves every byte, and whose mode it is of. `tries` counts
    how often it was worked off without a result.
    """

    id: ProviderEventId
    connection_id: ConnectionId
    provider: str
    is_proven: bool
    state: EventState
    reason: str
    summary: Summary
    tries: int
    received_at: datetime
    handled_at: datetime | None = None
    invoice_id: InvoiceId | None = None
    wallet_id: WalletId | None = None
    refund_id: RefundId | None = None


class Letter(Struct, frozen=True):
    """What came, byte by byte; it is stored encrypted."""

    signature_header: str
    signature: str
    content_type: str
    body: bytes

    def __repr__(self) -> str:
        return f"Letter({len(self.body)} bytes)"


class Verdict(StrEnum):
    """What was made of a webhook when it came; monitoring counts them."""

    STORED = "stored"
    REPEATED = "repeated"
    REFUSED = "refused"


# Takes what a provider says of a payment into our rows, in the transaction.
Apply = Callable[[Transaction, ConnectionId, Fact], Awaitable[Applied]]
# Takes what providers say of charges into our rows, in its order.
ApplyCharges = Callable[
    [Transaction, Sequence[tuple[ConnectionId, Fact]]], Awaitable[Sequence[Applied]]
]
