"""Routes of plans and their prices."""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Self

from fastapi import APIRouter
from pydantic import BeforeValidator, Field, WithJsonSchema

from monigo import catalog, tenancy
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.fields import (
    Id,
    Incoming,
    Instant,
    ListEnvelope,
    Message,
    Money,
    Name,
    Outgoing,
    Text,
    UnitPrice,
    Whole,
    empty_as_none,
)
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.paging import Paging, counts
from monigo.catalog import (
    PRICES_MAX,
    ApplyTo,
    BaseFee,
    BillingMode,
    Plan,
    PlanChanges,
    PlanDetails,
    PlanRevision,
    PlanType,
    Price,
    PriceDraft,
    PriceTerms,
)
from monigo.core.errors import DomainError, invalid
from monigo.core.ids import MetricId, OrganizationId, PlanId, PriceId, parse_id
from monigo.core.money import MONEY_PLACES, parse_decimal
from monigo.core.paging import Page
from monigo.core.periods import BillingPeriod
from monigo.core.permissions import Permission
from monigo.core.price_forms import parse_charge, price_model_json
from monigo.infra.db import Transaction

router = APIRouter(route_class=TenantRoute, tags=["plans"])

_DECIMAL_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}]}
_TIERS_SCHEMA = {
    "anyOf": [
        {"type": "array", "items": {"type": "object"}},
        {"type": "object"},
        {"type": "null"},
    ]
}
_TIERS_EXAMPLE = [{"up_to": 1000, "unit_amount": "5"}, {"up_to": None, "unit_amount": "1"}]

UnitPriceIn = Annotated[Any, WithJsonSchema(_DECIMAL_SCHEMA)]
Tiers = Annotated[Any, WithJsonSchema(_TIERS_SCHEMA), Field(examples=[_TIERS_EXAMPLE])]
# Read with its price, so that a fault is named by its whole path.
_PriceAmount = Annotated[Any, WithJsonSchema(_DECIMAL_SCHEMA)]


class BaseFeeTiming(StrEnum):
    """On which invoice a period's base fee stands."""

    IN_ARREARS = "in_arrears"
    IN_ADVANCE = "in_advance"


def _base_fee(value: object) -> Decimal | None:
    if value is None or value == "":
        return None
    amount = parse_decimal(value, places=MONEY_PLACES)
    if amount < 0:
        raise ValueError("must not be negative")
    return amount


BaseFeeIn = Annotated[Decimal | None, BeforeValidator(_base_fee), WithJsonSchema(_DECIMAL_SCHEMA)]


class PriceIn(Incoming):
    """A price: with an id it revises that price, without it adds one."""

    id: Name | None = None
    metric_id: Name = Field(examples=["0197b3c0-0000-7000-8000-000000000000"])
    model: Name = Field(examples=["flat_unit"])
    unit_price: UnitPriceIn = Field(default=None, examples=["2.000000"])
    tiers: Tiers = None
    flat_fee: _PriceAmount = Field(
        default=None, description="added per period", examples=["100.000000"]
    )
    minimum_amount: _PriceAmount = Field(
        default=None, description="the least that a period costs; null: none"
    )
    maximum_amount: _PriceAmount = Field(
        default=None, description="the most that a period costs; null: none"
    )


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
        """What the client said of the plan itself."""
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
        """Whether the base fee is due a period ahead; None where nothing was said."""
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


class PriceOut(Outgoing):
    """A price under its present revision."""

    id: PriceId
    plan_id: PlanId
    metric_id: MetricId
    model: str
    unit_price: UnitPrice
    tiers: Any
    flat_fee: Money
    minimum_amount: Money | None
    maximum_amount: Money | None
    revision: int
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, price: Price) -> Self:
        """The wire form; a model without a unit price shows 0, as clients read a string."""
        charge = price.terms.charge
        unit_price, tiers = price_model_json(charge.model)
        return cls(
            id=price.id,
            plan_id=price.plan_id,
            metric_id=price.terms.metric_id,
            model=price.terms.model_name,
            unit_price=Decimal(unit_price or 0),
            tiers=tiers,
            flat_fee=charge.flat_fee,
            minimum_amount=charge.minimum_amount,
            maximum_amount=charge.maximum_amount,
            revision=price.revision,
            created_at=price.created_at,
            updated_at=price.updated_at,
        )


class PlanOut(Outgoing):
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
            base_fee=plan.base_fee.amount,
            base_fee_timing=_timing(plan.base_fee),
            revision=plan.revision,
            prices=[PriceOut.of(price) for price in plan.prices],
            created_at=plan.created_at,
            updated_at=plan.updated_at,
        )


class PlanEnvelope(Outgoing):
    """One plan."""

    plan: PlanOut


class PlanList(ListEnvelope):
    """Plans, newest first."""

    plans: list[PlanOut]


class PlanRevisionOut(Outgoing):
    """What a plan cost from an edit of its prices or base fee on."""

    revision: int
    apply_to: ApplyTo
    effective_at: Instant | None = Field(description="null for the first, which always applies")
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
            base_fee=revision.base_fee.amount,
            base_fee_timing=_timing(revision.base_fee),
            prices=[PriceOut.of(price) for price in prices],
            created_at=revision.created_at,
        )


class PlanRevisionList(ListEnvelope):
    """A plan's revisions, newest first, each with the whole price list as it then stood."""

    revisions: list[PlanRevisionOut]


@router.post("/plans", status_code=201)
@atomic(Permission.PLANS_WRITE)
async def create_plan(tx: Tx, body: PlanIn) -> PlanEnvelope:
    """Offer a plan with its prices."""
    _check_currency(body.currency)
    details = PlanDetails(
        name=body.name or "",
        description=body.description or "",
        currency=body.currency or "NGN",
        plan_type=body.plan_type or PlanType.COLLECTION,
        billing_period=body.billing_period or BillingPeriod.MONTHLY,
        billing_mode=body.billing_mode or BillingMode.POSTPAID,
        trial_period_days=body.trial_period_days or 0,
    )
    base_fee = BaseFee(body.base_fee or Decimal(0), in_advance=body.in_advance() or False)
    plan = await catalog.create_plan(tx, details, price_drafts(body.prices or []), base_fee)
    return PlanEnvelope(plan=PlanOut.of(tx, plan))


@router.get("/plans", response_model=PlanList)
@atomic(Permission.PLANS_READ)
async def list_plans(tx: Tx, paging: Paging) -> ListResponse:
    """List plans, newest first."""
    page = await catalog.list_plans(tx, paging)
    return ListResponse("plans", page, lambda item: PlanOut.of(tx, item))


@router.get("/plans/{plan_id}")
@atomic(Permission.PLANS_READ)
async def get_plan(tx: Tx, plan_id: Id) -> PlanEnvelope:
    """Read a plan with its prices."""
    return PlanEnvelope(plan=PlanOut.of(tx, await catalog.get_plan(tx, plan_id)))


@router.get("/plans/{plan_id}/revisions")
@atomic(Permission.PLANS_READ)
async def list_plan_revisions(tx: Tx, plan_id: Id, paging: Paging) -> PlanRevisionList:
    """List what a plan cost before and after each edit, newest first."""
    history = await catalog.get_history(tx, plan_id)
    newest_first = list(catalog.revisions_with_prices(history))[::-1]
    asked_for = newest_first[paging.offset : paging.offset + paging.limit]
    page = Page(asked_for, len(newest_first), paging.offset)
    return PlanRevisionList(
        revisions=[PlanRevisionOut.of(revision, prices) for revision, prices in page.items],
        **counts(page),
    )


@router.put("/plans/{plan_id}")
@atomic(Permission.PLANS_WRITE)
async def update_plan(tx: Tx, plan_id: Id, body: PlanUpdate) -> PlanEnvelope:
    """Change what is sent. `prices` absent: unchanged; present: the whole new list."""
    _check_currency(body.currency)
    changes = PlanChanges(
        details=body.changes(),
        prices=None if body.prices is None else price_drafts(body.prices),
        base_fee=body.base_fee,
        in_advance=body.in_advance(),
        apply_to=body.apply_to or ApplyTo.ALL,
    )
    plan = await catalog.update_plan(tx, plan_id, changes)
    return PlanEnvelope(plan=PlanOut.of(tx, plan))


@router.delete("/plans/{plan_id}")
@atomic(Permission.PLANS_WRITE)
async def delete_plan(tx: Tx, plan_id: Id) -> Message:
    """Hide a plan, unless it has active subscriptions."""
    await catalog.delete_plan(tx, plan_id)
    return Message(message="plan deleted")


def _timing(base_fee: BaseFee) -> BaseFeeTiming:
    return BaseFeeTiming.IN_ADVANCE if base_fee.in_advance else BaseFeeTiming.IN_ARREARS


def _check_currency(code: str | None) -> None:
    if code and not tenancy.is_currency(code):
        raise invalid({"currency": "must be an ISO 4217 currency code such as NGN"})


def price_drafts(prices: list[PriceIn]) -> list[PriceDraft]:
    """The prices as the catalog takes them; all faults of all prices are told at once."""
    faults: dict[str, str] = {}
    drafts: list[PriceDraft] = []
    for position, price in enumerate(prices):
        path = f"prices[{position}]"
        metric_id = parse_id(price.metric_id)
        if metric_id is None:
            faults[f"{path}.metric_id"] = "must be a UUID"
        price_id = parse_id(price.id) if price.id else None
        if price.id and price_id is None:
            faults[f"{path}.id"] = "must be a UUID"
        try:
            charge = parse_charge(
                model=price.model,
                unit_price=price.unit_price,
                tiers=price.tiers,
                flat_fee=price.flat_fee,
                minimum_amount=price.minimum_amount,
                maximum_amount=price.maximum_amount,
                path=path,
            )
        except DomainError as error:
            faults.update(error.fields)
            continue
        if metric_id is not None:
            terms = PriceTerms(MetricId(metric_id), charge, price.model)
            drafts.append(PriceDraft(None if price_id is None else PriceId(price_id), terms))
    if faults:
        raise invalid(faults)
    return drafts
