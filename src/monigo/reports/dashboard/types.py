"""The figures of the start page."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from monigo.core.periods import Period


class Amounts(Struct, frozen=True):
    """Money of some days, in one currency."""

    currency: str
    billed: Decimal
    collected: Decimal
    owed_to_payees: Decimal
    paid_out: Decimal


class Figures(Struct, frozen=True):
    """What happened in some days; amounts by currency, in the order of their codes."""

    span: Period
    events: int
    amounts: tuple[Amounts, ...]


class NeedKind(StrEnum):
    """What waits for a person."""

    SUBSCRIPTIONS_SET_ASIDE = "subscriptions_set_aside"
    WORK_SET_ASIDE = "work_set_aside"
    SUBSCRIPTIONS_PAUSED_FOR_BALANCE = "subscriptions_paused_for_balance"
    WALLETS_WAITING_FOR_TOP_UP = "wallets_waiting_for_top_up"
    CUSTOMERS_WITH_FALLEN_USAGE = "customers_with_fallen_usage"
    TRANSACTIONS_TO_RESOLVE = "transactions_to_resolve"
    PROVIDER_EVENTS_WAITING = "provider_events_waiting"
    RECONCILIATION_DIFFERENCES = "reconciliation_differences"
    # Bills that somebody is to initiate the payout of.
    PAYOUTS_TO_APPROVE = "payouts_to_approve"
    # Their payees have something beside what was owed to them.
    TRANSFERS_PAID_TWICE = "transfers_paid_twice"


class NeedsPerson(Struct, frozen=True):
    """The question what waits for a person. Sources answer with a Need for each kind."""

    shown_max: int


class Need(Struct, frozen=True):
    """How many of something wait for a person, and the ids of the first few."""

    kind: NeedKind
    count: int
    subject_ids: tuple[UUID, ...]


class Dashboard(Struct, frozen=True):
    """The start page, as of an instant of the mode's clock."""

    as_of: datetime
    timezone: str
    today: Figures
    period: Figures
    owed_to_payees: tuple[tuple[str, Decimal], ...]
    needs: tuple[Need, ...]
