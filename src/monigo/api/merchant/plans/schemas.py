"""Plans on the wire."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Self

from msgspec import Meta
from pydantic import BeforeValidator, Field

from monigo import catalog
from monigo.api.kernel.wire.incoming import Incoming, Name, Text, Whole, empty_as_none
from monigo.api.kernel.wire.outgoing import Instant, ListEnvelope, Money, Outgoing
from monigo.api.merchant.metrics.schemas import FilterIn, FilterOut
from monigo.api.merchant.prices.schemas import ID_EXAMPLE, BaseFeeIn, PriceIn, PriceOut
from monigo.catalog import (
    FILTERS_MAX,
    PRICES_MAX,
    RULES_MAX,
    ApplyTo,
    BaseFee,
    BillingMode,
    PayoutRule,
    Plan,
    PlanRevision,
    PlanType,
    Price,
    RuleDefinition,
    RuleDraft,
)
from monigo.core.errors import invalid
from monigo.core.expressions import LENGTH_MAX as EXPRESSION_LENGTH_MAX
from monigo.core.ids import MetricId, OrganizationId, PlanId, PriceId, parse_id
from monigo.core.money import format_money
from monigo.core.periods import BillingPeriod
from monigo.infra.db import Transaction


class BaseFeeTiming(StrEnum):
    """On which invoice a period's base fee stands."""

    IN_ARREARS = "in_arrears"
    IN_ADVANCE = "in_advance"


class PayoutRuleIn(Incoming):
    """Events of a name pay a customer whom they name; with `id` it revises the plan's rule."""

    id: Name | None = Field(default=None, examples=[ID_EXAMPLE])
    trigger_event: Name | None = Field(default=None, examples=["ride_completed"])
    recipient_field: Name | None = Field(
        default=None,
        description="the property that names who is paid, by id or external_id",
        examples=["driver_id"],
    )
    amount_expression: Annotated[str | None, Field(max_length=EXPRESSION_LENGTH_MAX)] = Field(
        default=None,
        description="numbers, properties, + - * / ( ), min, max, round(x, places), if(a > b, c, d)",
        examples=["fare * 0.80"],
    )
    currency: Name | None = Field(default=None, description="the plan's", examples=["NGN"])
    filters: list[FilterIn] | None = Field(default=None, max_length=FILTERS_MAX)


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
    payout_rules: list[PayoutRuleIn] | None = Field(default=None, max_length=RULES_MAX)

    def rule_drafts(self) -> list[RuleDraft] | None:
        """The payout rules as the catalog knows them; None where none were sent.

        Raises:
            DomainError: invalid, naming each `id` that is none.
        """
        if self.payout_rules is None:
            return None
        faults = {
            f"payout_rules[{position}].id": "is not a valid id"
            for position, rule in enumerate(self.payout_rules)
            if rule.id and parse_id(rule.id) is None
        }
        if faults:
            raise invalid(faults)
        return [_rule_draft(rule) for rule in self.payout_rules]

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


class PayoutRuleOut(Outgoing, frozen=True):
    """Which events of a plan pay, whom, how much; bill lines name it as their price."""

    id: PriceId
    plan_id: PlanId
    metric_id: MetricId
    trigger_event: str
    recipient_field: str
    amount_expression: str
    currency: str
    filters: list[FilterOut]
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, rule: PayoutRule, currency: str) -> Self:
        """The wire form."""
        definition = rule.definition
        return cls(
            id=rule.id,
            plan_id=rule.price.plan_id,
            metric_id=rule.metric.id,
            trigger_event=definition.trigger_event,
            recipient_field=definition.recipient_field,
            amount_expression=definition.amount_expression,
            currency=currency,
            filters=[FilterOut.of(item) for item in definition.filters],
            created_at=rule.price.created_at,
            updated_at=rule.price.updated_at,
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
    payout_rules: list[PayoutRuleOut]
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
            prices=[PriceOut.of(price) for price in plan.listed_prices],
            payout_rules=[PayoutRuleOut.of(rule, details.currency) for rule in plan.rules],
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
    payout_rules: list[PayoutRuleOut]
    created_at: Instant

    @classmethod
    def of(
        cls,
        revision: PlanRevision,
        prices: Sequence[Price],
        rules: Sequence[PayoutRule],
        currency: str,
    ) -> Self:
        """The wire form; `prices` may have those of the rules."""
        of_rules = {rule.id for rule in rules}
        is_first = revision.effective_at == catalog.BEGINNING
        return cls(
            revision=revision.revision,
            apply_to=revision.apply_to,
            effective_at=None if is_first else revision.effective_at,
            base_fee=format_money(revision.base_fee.amount),
            base_fee_timing=_timing(revision.base_fee),
            prices=[PriceOut.of(price) for price in prices if price.id not in of_rules],
            payout_rules=[PayoutRuleOut.of(rule, currency) for rule in rules],
            created_at=revision.created_at,
        )


class PlanRevisionList(ListEnvelope, frozen=True):
    """A plan's revisions, newest first, each with the whole price list as it then stood."""

    revisions: list[PlanRevisionOut]


def _rule_draft(rule: PayoutRuleIn) -> RuleDraft:
    rule_id = parse_id(rule.id) if rule.id else None
    return RuleDraft(
        id=None if rule_id is None else PriceId(rule_id),
        definition=RuleDefinition(
            trigger_event=rule.trigger_event or "",
            recipient_field=rule.recipient_field or "",
            amount_expression=rule.amount_expression or "",
            filters=tuple(item.condition() for item in rule.filters or ()),
        ),
        currency=rule.currency or "",
    )


def _timing(base_fee: BaseFee) -> BaseFeeTiming:
    return BaseFeeTiming.IN_ADVANCE if base_fee.in_advance else BaseFeeTiming.IN_ARREARS
