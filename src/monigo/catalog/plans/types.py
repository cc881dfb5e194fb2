"""Metrics, plans and prices: what is measured and what it costs."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from monigo.catalog.payout_rules import PayoutRule, RuleDraft
from monigo.catalog.prices import Price, PriceDraft, PriceRevision
from monigo.core.ids import PlanId
from monigo.core.periods import BillingPeriod

# When a plan's first revision takes effect: before everything.
BEGINNING = datetime.min.replace(tzinfo=UTC)


class PlanType(StrEnum):
    """Which way the money goes: from the customer, or to it."""

    COLLECTION = "collection"
    PAYOUT = "payout"


class BillingMode(StrEnum):
    """When usage is paid for."""

    POSTPAID = "postpaid"
    PREPAID = "prepaid"
    REALTIME = "realtime"


class ApplyTo(StrEnum):
    """Whose periods an edit of a plan's prices or base fee counts for."""

    ALL = "all"  # all that end after the edit
    NEXT_PERIOD = "next_period"  # those that start after the edit
    NEW = "new"  # those of subscriptions made since


class PlanDetails(Struct, frozen=True):
    """A plan's details as the merchant sets them."""

    name: str
    description: str
    currency: str
    plan_type: PlanType
    billing_period: BillingPeriod
    billing_mode: BillingMode
    trial_period_days: int


class BaseFee(Struct, frozen=True):
    """What a plan costs per period, whatever is used: on the closing invoice, or one earlier."""

    amount: Decimal = Decimal(0)
    in_advance: bool = False


NO_BASE_FEE = BaseFee()


class Plan(Struct, frozen=True):
    """A plan with its present prices and base fee, under its latest revision.

    `prices` has those of payout rules, too, which are last.
    """

    id: PlanId
    details: PlanDetails
    revision: int
    base_fee: BaseFee
    prices: tuple[Price, ...]
    created_at: datetime
    updated_at: datetime
    rules: tuple[PayoutRule, ...] = ()

    @property
    def listed_prices(self) -> tuple[Price, ...]:
        """The prices that are not payout rules'."""
        of_rules = {rule.id for rule in self.rules}
        return tuple(price for price in self.prices if price.id not in of_rules)


class PlanChanges(Struct, frozen=True):
    """An edit of a plan; None leaves what it is of.

    `details` are fields of PlanDetails. `prices` and `rules` are whole new lists.
    """

    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    prices: Sequence[PriceDraft] | None = None
    base_fee: Decimal | None = None
    in_advance: bool | None = None
    apply_to: ApplyTo = ApplyTo.ALL
    rules: Sequence[RuleDraft] | None = None


class PlanRevision(Struct, frozen=True):
    """An edit of a plan's prices or base fee. The first takes effect at the BEGINNING."""

    revision: int
    apply_to: ApplyTo
    effective_at: datetime
    base_fee: BaseFee
    created_at: datetime


class PlanHistory(Struct, frozen=True):
    """A plan and all its revisions, in their order."""

    details: PlanDetails
    revisions: tuple[PlanRevision, ...]
    price_revisions: tuple[PriceRevision, ...]


class AgreedTerms(Struct, frozen=True):
    """What a subscription's period is billed by; prices in the plan's order.

    `base_fee_revision` is the one that made the fee what it is.
    """

    plan_revision: int
    base_fee: BaseFee
    base_fee_revision: int
    prices: tuple[Price, ...]


class PlanDeletion(Struct, frozen=True):
    """The question whether a locked plan may be deleted."""

    plan_id: PlanId


class PlanTermsChange(Struct, frozen=True):
    """The question whether the terms of a locked plan may change that subscribers rely on."""

    plan_id: PlanId
