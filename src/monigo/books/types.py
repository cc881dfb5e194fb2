"""What is booked: whose account, what happened, and the transfers that it makes."""

from decimal import Decimal

from msgspec import Struct

from monigo.core.ids import CustomerId
from monigo.ledger import AccountKind, EntryType

# What bookings of invoices and bills refer to; a wallet's own movements refer to an `invoice`.
DOCUMENT = "document"
# What bookings of transfers to payees refer to.
PAYOUT = "payout"


class Subject(Struct, frozen=True):
    """Whose accounts, in which currency, and what the transfers refer to."""

    customer_id: CustomerId
    currency: str
    reference_type: str
    reference_id: str


class Leg(Struct, frozen=True):
    """An amount above zero that goes from one of the customer's accounts to another."""

    source: AccountKind
    target: AccountKind
    amount: Decimal


class Booking(Struct, frozen=True):
    """One thing that happened, as transfers; none, where no money is in it.

    `counterparty` is who stands behind it outside: a provider, or the merchant's own reference.
    """

    subject: Subject
    entry_type: EntryType
    legs: tuple[Leg, ...]
    counterparty: str = ""
