"""Invoices: what a customer owes for a period, line by line."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Self
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from monigo.catalog import BaseFee, BillingMode, Metric, PlanType
from monigo.core.ids import (
    CustomerId,
    InvoiceId,
    LineItemId,
    MetricId,
    PlanId,
    PriceId,
    SubscriptionId,
)
from monigo.core.money import Money
from monigo.core.periods import Period
from monigo.core.pricing import Charge
from monigo.infra.ids import new_id
from monigo.metering import Usage
from monigo.subscriptions import Subscription
from monigo.wallets import PaidPart

# What wallets paid of an invoice, by source.
Parts = tuple[PaidPart, ...]


class InvoiceKind(StrEnum):
    """What brought the invoice about."""

    INTERIM = "interim"
    CLOSING = "closing"
    SUPPLEMENTARY = "supplementary"


class InvoiceStatus(StrEnum):
    """Where an invoice stands."""

    DRAFT = "draft"
    FINALIZED = "finalized"
    PAID = "paid"
    PAYMENT_FAILED = "payment_failed"
    UNCOLLECTIBLE = "uncollectible"
    VOID = "void"


class LineKind(StrEnum):
    """What a line charges for: usage at a price, a plan's fee, or what other invoices left."""

    USAGE = "usage"
    FEE = "fee"
    # Between invoices of a customer.
    CREDIT = "credit"
    # Between invoices of a subscription: what their subtotals took off or added by rounding.
    ROUNDING = "rounding"


class Billed(Struct, frozen=True):
    """What live invoices have charged already for one price, period and group value."""

    quantity: Decimal
    amount: Decimal


NOTHING_BILLED = Billed(Decimal(0), Decimal(0))


class AgreedPrice(Struct, frozen=True):
    """A price as it holds for one subscription and period: its revision, or an override of it."""

    price_id: PriceId
    revision: int
    charge: Charge
    metric: Metric
    override_id: UUID | None = None
    override_model: str = ""


class Terms(Struct, frozen=True):
    """All that decides what a period's usage costs; a closing invoice freezes them.

    `windows` are the parts of the period that are billed: all but the pauses.
    """

    plan_id: PlanId
    plan_revision: int
    base_fee: BaseFee
    base_fee_revision: int
    windows: tuple[Period, ...]
    prices: tuple[AgreedPrice, ...]


class PricedUsage(Struct, frozen=True):
    """A price and a period's whole usage under it; `groups` splits the quantity, if at all.

    `is_due` is false where usage costs nothing: a removed price, a period that is wholly paused.
    """

    price: AgreedPrice
    description: str
    usage: Usage
    is_due: bool = True
    with_minimum: bool = True


# By price (None: the plan's fee), and within it by group value: "" where the metric does not group.
BilledGroups = Mapping[PriceId | None, Mapping[str, Billed]]


# Without `gc`, as all that a long list has by the ten thousand: nothing in it leads back to it, and
# to look through it for garbage holds the event loop for tens of milliseconds.
class Line(Struct, frozen=True, gc=False):
    """One line. `quantity` and `amount` are what it bills; the cumulative ones only explain.

    `group_value` is the value of the metric's `group_by` that it bills; empty where there is none.
    `whole_quantity` is what the price was computed from: that of all values together.
    """

    kind: LineKind
    price_id: PriceId | None
    metric_id: MetricId | None
    period: Period
    description: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    cumulative_quantity: Decimal
    cumulative_amount: Decimal
    price_revision: int | None
    group_value: str = ""
    event_count: int = 0
    first_event_at: datetime | None = None
    last_event_at: datetime | None = None
    whole_quantity: Decimal = Decimal(0)
    uncounted_events: int = 0


class Totals(Struct, frozen=True, gc=False):
    """An invoice's sums: lines, tax on them, tax withheld from a bill, and what is to be paid."""

    subtotal: Decimal
    vat_enabled: bool
    vat_rate: Decimal
    vat_amount: Decimal
    wht_rate: Decimal
    wht_amount: Decimal
    total: Decimal


class StoredLine(Struct, frozen=True, gc=False):
    """A line with its identity."""

    id: LineItemId
    invoice_id: InvoiceId
    line: Line
    created_at: datetime


class Invoice(Struct, frozen=True, gc=False):
    """An invoice, or where the plan pays out a bill, as stored. A draft has no number yet.

    `amount_paid` is what was received of its total, by whatever way; `wallet_paid` is the part of
    that which a wallet and its credits paid, and have not had back. `amount_refunded` went back to
    the payer, by lost disputes `amount_disputed` of it, `amount_reversed` was taken back by a
    provider: nothing of it is due again.
    `collection_reason` says why it is not paid, `next_collection_at` when it is tried next.
    `is_booked` is whether it is in the books, as all are that became final since there are any.
    """

    id: InvoiceId
    customer_id: CustomerId
    subscription_id: SubscriptionId
    plan_type: PlanType
    kind: InvoiceKind
    status: InvoiceStatus
    number: int | None
    currency: str
    totals: Totals
    period: Period
    lines: tuple[StoredLine, ...]
    created_at: datetime
    updated_at: datetime
    finalized_at: datetime | None
    paid_at: datetime | None
    voided_at: datetime | None
    due_date: datetime | None
    paid_reference: str
    amount_paid: Decimal
    wallet_paid: Decimal
    amount_refunded: Decimal
    amount_disputed: Decimal
    amount_reversed: Decimal
    collection_reason: str
    next_collection_at: datetime | None
    billing_mode: BillingMode
    is_booked: bool

    @property
    def due(self) -> Money:
        """What is still to be paid; nothing of one that was voided. A draft's is its total."""
        return Money(self.amount_due, self.currency)

    @property
    def amount_due(self) -> Decimal:
        """The same without its currency, as long lists read it."""
        if self.status is InvoiceStatus.VOID:
            return Decimal(0)
        return self.totals.total - self.amount_paid


class Settled(Struct, frozen=True):
    """Where a payment leaves an invoice: its status, what was taken of it, and what is too much."""

    status: InvoiceStatus
    taken: Money
    excess: Money


class PriceChange(Struct, frozen=True):
    """What a change of usage does to one price's amount in a subscription's running period."""

    subscription_id: SubscriptionId
    price_id: PriceId
    currency: str
    before: Decimal
    after: Decimal


class InvoiceFilter(Struct, frozen=True):
    """Which invoices, or bills, to list; None means any.

    `is_for_customer` leaves out what a customer does not see: drafts, and what amounts to nothing.
    """

    plan_type: PlanType = PlanType.COLLECTION
    customer: str | None = None
    status: InvoiceStatus | None = None
    is_for_customer: bool = False


class InvoiceRequest(Struct, frozen=True):
    """An invoice that is to be rated: whose, of which period, and what it is to charge for.

    `with_usage` is false for the fee that is due as a period opens. `with_others` adds what a
    closing carries beside its own period: the next one's fee in advance, and adjustments. Without
    `with_minimum` minimum amounts are left out, as while a realtime period runs.
    """

    id: InvoiceId
    subscription: Subscription
    period: Period
    kind: InvoiceKind
    is_new: bool = True
    with_usage: bool = True
    with_others: bool = False
    with_minimum: bool = True

    @classmethod
    def closing_of(cls, subscription: Subscription, period: Period) -> Self:
        """The invoice that ends a period, with what a closing carries of others."""
        return cls.interim_of(subscription, period, kind=InvoiceKind.CLOSING, with_others=True)

    @classmethod
    def waived_of(cls, subscription: Subscription, period: Period) -> Self:
        """An invoice request for a waived period alone."""
        return cls.interim_of(subscription, period, kind=InvoiceKind.CLOSING)

    @classmethod
    def fee_of(cls, subscription: Subscription, period: Period) -> Self:
        """The fee that is due as a period opens."""
        return cls.interim_of(subscription, period, with_usage=False)

    @classmethod
    def supplementary_of(cls, subscription: Subscription, period: Period) -> Self:
        """What differs after a subscription's end from what was billed."""
        return cls.interim_of(
            subscription,
            period,
            kind=InvoiceKind.SUPPLEMENTARY,
            with_usage=False,
            with_others=True,
        )

    @classmethod
    def charge_of(cls, subscription: Subscription, period: Period) -> Self:
        """What a running realtime period comes to so far, minimum amounts left out."""
        return cls.interim_of(subscription, period, with_minimum=False)

    @classmethod
    def interim_of(
        cls,
        subscription: Subscription,
        period: Period,
        *,
        kind: InvoiceKind = InvoiceKind.INTERIM,
        with_usage: bool = True,
        with_others: bool = False,
        with_minimum: bool = True,
    ) -> Self:
        """An invoice request for a running period alone."""
        return cls(
            id=InvoiceId(new_id()),
            subscription=subscription,
            period=period,
            kind=kind,
            with_usage=with_usage,
            with_others=with_others,
            with_minimum=with_minimum,
        )

    def replacing(self, draft_id: InvoiceId) -> Self:
        """The same invoice, recomputed under the id of a draft that there is."""
        return replace(self, id=draft_id, is_new=False)


class RatedInvoice(Struct, frozen=True):
    """What an invoice comes to.

    `terms` are those of its own period, `other_terms` those of the others that its lines bill.
    `rounded_off` is the sum of its lines, `rounding` left out, less its subtotal. It is due
    `payment_terms_days` after it becomes final; 0: as that local day ends.
    """

    wanted: InvoiceRequest
    currency: str
    billing_mode: BillingMode
    terms: Terms
    other_terms: tuple[tuple[Period, Terms], ...]
    lines: tuple[Line, ...]
    totals: Totals
    rounded_off: Decimal
    payment_terms_days: int

    # What it has in common with an invoice that is stored: before it is final, it is a draft.
    status: ClassVar[InvoiceStatus] = InvoiceStatus.DRAFT
    number: ClassVar[None] = None

    @property
    def id(self) -> InvoiceId:
        """Under which it is stored."""
        return self.wanted.id

    @property
    def plan_type(self) -> PlanType:
        """Whether it is an invoice or a bill."""
        return self.wanted.subscription.plan_type

    @property
    def due(self) -> Money:
        """What it is over: all of that is to be paid."""
        return Money(self.totals.total, self.currency)


class Recount(Struct, frozen=True):
    """A replay of a closed period, with the versions of the metrics at that time.

    Instants alone would not do: a test clock may stand still while metrics are edited. Replays from
    before versions were kept have none.
    """

    at: datetime
    versions: Mapping[MetricId, int]


class ClosedPeriod(Struct, frozen=True):
    """A period that has its closing invoice, with the terms as they were frozen.

    `closing_number` is that invoice's. `remeasured` has the period's latest replays by the name of
    the events, "" for all.
    """

    subscription_id: SubscriptionId
    period: Period
    frozen_terms: str
    closing_number: int
    remeasured: Mapping[str, Recount]


class Settlement(Struct, frozen=True):
    """What becomes of one locked invoice by a payment.

    `parts` are all that wallets have paid of it by now, None where this payment is not theirs; it
    then has the merchant's `reference`.
    """

    invoice_id: InvoiceId
    number: int
    status: InvoiceStatus
    paid_at: datetime | None
    taken: Decimal
    parts: Parts | None
    reference: str | None
