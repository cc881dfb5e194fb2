"""Plans on the wire."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Self

from msgspec import Meta
from pydantic import BeforeValidator, Field

from monigo import catalog
from monigo.api.kernel.wire.incoming import Incoming, Name, Text, Whole, empty_as_none
from monigo.api.kernel.wire.outgoing import Instant, ListEnvelope, Money, Outgoing
from monigo.api.merchant.prices.schemas import BaseFeeIn, PriceIn, PriceOut
from monigo.catalog import (
    PRICES_MAX,
    ApplyTo,
    BaseFee,
    BillingMode,
    Plan,
    PlanRevision,
    PlanType,
    Price,
)
from monigo.core.ids import OrganizationId, PlanId
from monigo.core.money import format_money
from monigo.core.periods import BillingPeriod
from monigo.infra.db import Transaction


class BaseFeeTiming(StrEnum):
    """On which invoice a period's base fee stands."""

    IN_ARREARS = "in_arrears"
    IN_ADVANCE = "in_advance"


class PlanIn(Incoming):
    """A plan to create or change; what is not sent stays as it is."""

    name: Name | None = Field(default=None, examples=["Pay as you go"])
    description: Text | None = None
    currency: Name | None = Field(default=None, examples=["NGN"])
    plan_type: Annotated[PlanType | None, BeforeValidator(empty_as_none)] = None
    billing_period: Annotated[BillingPeriod | None, BeforeValidator(empty_as_none)] = None
    billing_mode: Annotated[BillingMode | None, BeforeValidator(empty_as_none)] = None
    trial_period_days: Whole | None = Field(default=None, ge=0, le=catalog.TRIAL_DAYS_MAX)
    base_fee: BaseFeeIn = Field(
        default=None, description="due per period", examples=["5000.000000"]
    )
    base_fee_timing: Annotated[BaseFeeTiming | None, BeforeValidator(empty_as_none)] = None
    prices: list[PriceIn] | None = Field(default=None, max_length=PRICES_MAX)

    def changes(self) -> dict[str, Any]:
        """The edit of the plan's details."""
        return self.given(
            "name",
            "description",
            "currency",
            "plan_type",
            "billing_period",
            "billing_mode",
            "trial_period_days",
        )

    def in_advance(self) -> bool | None:
        """Whether the base fee is charged in advance; None where it was not sent."""
        if self.base_fee_timing is None:
            return None
        return self.base_fee_timing is BaseFeeTiming.IN_ADVANCE


class PlanUpdate(PlanIn):
    """Changes of a plan, and whose periods new prices and base fees count for."""

    apply_to: Annotated[ApplyTo | None, BeforeValidator(empty_as_none)] = Field(
        default=None,
        description="`all` (unset): periods that end after the edit; `next_period`: periods that"
        " start after it; `new`: subscriptions made after it",
    )


class PlanOut(Outgoing, frozen=True):
    """A plan with its prices."""

    id: PlanId
    org_id: OrganizationId
    name: str
    description: str
    currency: str
    plan_type: PlanType
    billing_period: BillingPeriod
    billing_mode: BillingMode
    trial_period_days: int
    base_fee: Money
    base_fee_timing: BaseFeeTiming
    revision: int
    prices: list[PriceOut]
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, tx: Transaction, plan: Plan) -> Self:
        """The wire form."""
        details = plan.details
        return cls(
            id=plan.id,
            org_id=tx.org_id,
            name=details.name,
            description=details.description,
            currency=details.currency,
            plan_type=details.plan_type,
            billing_period=details.billing_period,
            billing_mode=details.billing_mode,
            trial_period_days=details.trial_period_days,
            base_fee=format_money(plan.base_fee.amount),
            base_fee_timing=_timing(plan.base_fee),
            revision=plan.revision,
            prices=[PriceOut.of(price) for price in plan.prices],
            created_at=plan.created_at,
            updated_at=plan.updated_at,
        )


class PlanEnvelope(Outgoing, frozen=True):
    """One plan."""

    plan: PlanOut


class PlanList(ListEnvelope, frozen=True):
    """Plans, newest first."""

    plans: list[PlanOut]


class PlanRevisionOut(Outgoing, frozen=True):
    """What a plan cost from an edit of its prices or base fee on."""

    revision: int
    apply_to: ApplyTo
    effective_at: Annotated[
        Instant | None, Meta(description="null for the first, which always applies")
    ]
    base_fee: Money
    base_fee_timing: BaseFeeTiming
    prices: list[PriceOut]
    created_at: Instant

    @classmethod
    def of(cls, revision: PlanRevision, prices: Sequence[Price]) -> Self:
        """The wire form."""
        is_first = revision.effective_at == catalog.BEGINNING
        return cls(
            revision=revision.revision,
            apply_to=revision.apply_to,
            effective_at=None if is_first else revision.effective_at,
            base_fee=format_money(revision.base_fee.amount),
            base_fee_timing=_timing(revision.base_fee),
            prices=[PriceOut.of(price) for price in prices],
            created_at=revision.created_at,
        )


class PlanRevisionList(ListEnvelope, frozen=True):
    """A plan's revisions, newest first, each with the whole price list as it then stood."""

    revisions: list[PlanRevisionOut]


def _timing(base_fee: BaseFee) -> BaseFeeTiming:
    return BaseFeeTiming.IN_ADVANCE if base_fee.in_advance else BaseFeeTiming.IN_ARREARS
