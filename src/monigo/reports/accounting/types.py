"""What the reports on the books say."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from monigo.core.ids import CustomerId
from monigo.ledger import AccountKind


class Side(StrEnum):
    """On which side of zero accounts of a kind may stand."""

    NEVER_NEGATIVE = "never_negative"
    NEVER_POSITIVE = "never_positive"
    EITHER = "either"


class AccountBalance(Struct, frozen=True):
    """What all accounts of a kind hold together."""

    kind: AccountKind
    side: Side
    balance: Decimal


class CurrencyBalances(Struct, frozen=True):
    """The accounts of one currency, whose sum is zero."""

    currency: str
    accounts: Sequence[AccountBalance]
    total: Decimal


class TrialBalance(Struct, frozen=True):
    """All accounts as they stood at an instant of the tenant's time, by currency."""

    at: datetime
    currencies: Sequence[CurrencyBalances]


class Debt(Struct, frozen=True):
    """What a customer owes in a currency, by how many days it is overdue, each of 24 hours.

    `taken_back` is the part that providers took back of the customer's payments, since they did;
    `paid_twice` what the customer was paid out beside what was owed, since it arrived; the rest is
    due of `invoices`.
    """

    customer_id: CustomerId
    currency: str
    invoices: int
    amount: Decimal
    taken_back: Decimal
    paid_twice: Decimal
    not_yet_due: Decimal
    up_to_30_days: Decimal
    up_to_60_days: Decimal
    up_to_90_days: Decimal
    over_90_days: Decimal
    oldest_due_at: datetime
