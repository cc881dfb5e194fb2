"""Routes of plans and their prices."""

from decimal import Decimal
from typing import Annotated, Any, Self

from fastapi import APIRouter
from pydantic import BeforeValidator, Field, WithJsonSchema

from monigo import catalog, tenancy
from monigo.api.fields import (
    Id,
    Incoming,
    Instant,
    ListEnvelope,
    Message,
    Name,
    Outgoing,
    Text,
    UnitPrice,
    Whole,
    empty_as_none,
)
from monigo.api.pagination import Paging, counts
from monigo.api.routing import TenantRoute, Tx
from monigo.bootstrap import PLAN_DELETION_GUARDS, PLAN_TERMS_GUARD
from monigo.catalog import (
    PRICES_MAX,
    BillingMode,
    Plan,
    PlanDetails,
    PlanType,
    Price,
    PriceDraft,
    PriceTerms,
)
from monigo.core.errors import DomainError, invalid
from monigo.core.ids import MetricId, OrganizationId, PlanId, PriceId, parse_id
from monigo.core.periods import BillingPeriod
from monigo.core.pricing import parse_price_model, price_model_json
from monigo.infra.database import Transaction

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


class PriceIn(Incoming):
    """A price: with an id it revises that price, without it adds one."""

    id: Name | None = None
    metric_id: Name = Field(examples=["0197b3c0-0000-7000-8000-000000000000"])
    model: Name = Field(examples=["flat_unit"])
    unit_price: Annotated[Any, WithJsonSchema(_DECIMAL_SCHEMA)] = Field(
        default=None, examples=["2.000000"]
    )
    tiers: Annotated[Any, WithJsonSchema(_TIERS_SCHEMA)] = Field(
        default=None, examples=[_TIERS_EXAMPLE]
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


class PriceOut(Outgoing):
    """A price under its present revision."""

    id: PriceId
    plan_id: PlanId
    metric_id: MetricId
    model: str
    unit_price: UnitPrice
    tiers: Any
    revision: int
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, price: Price) -> Self:
        """The wire form; a model without a unit price shows 0, as clients read a string."""
        unit_price, tiers = price_model_json(price.terms.model)
        return cls(
            id=price.id,
            plan_id=price.plan_id,
            metric_id=price.terms.metric_id,
            model=price.terms.model_name,
            unit_price=Decimal(unit_price or 0),
            tiers=tiers,
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


@router.post("/plans", status_code=201)
async def create_plan(tx: Tx, body: PlanIn) -> PlanEnvelope:
    """Offer a plan with its prices."""
    _check_currency(body.currency)
    details = PlanDetails(
        name=body.name or "",
        description=body.description or "",
        currency=body.currency or "NGN",
        plan_type=body.plan_type or PlanType.COLLECTION,
        billing_period=body.billing_period or BillingPeriod.MONTHLY,
        billing_mode=_available(body.billing_mode) or BillingMode.POSTPAID,
        trial_period_days=body.trial_period_days or 0,
    )
    plan = await catalog.create_plan(tx, details, _price_drafts(body.prices or []))
    return PlanEnvelope(plan=PlanOut.of(tx, plan))


@router.get("/plans")
async def list_plans(tx: Tx, paging: Paging) -> PlanList:
    """List plans, newest first."""
    page = await catalog.list_plans(tx, paging)
    return PlanList(plans=[PlanOut.of(tx, item) for item in page.items], **counts(page))


@router.get("/plans/{plan_id}")
async def get_plan(tx: Tx, plan_id: Id) -> PlanEnvelope:
    """Read a plan with its prices."""
    return PlanEnvelope(plan=PlanOut.of(tx, await catalog.get_plan(tx, plan_id)))


@router.put("/plans/{plan_id}")
async def update_plan(tx: Tx, plan_id: Id, body: PlanIn) -> PlanEnvelope:
    """Change what is sent. `prices` absent: unchanged; present: the whole new list."""
    _check_currency(body.currency)
    _available(body.billing_mode)
    prices = None if body.prices is None else _price_drafts(body.prices)
    plan = await catalog.update_plan(tx, plan_id, body.changes(), prices, PLAN_TERMS_GUARD)
    return PlanEnvelope(plan=PlanOut.of(tx, plan))


@router.delete("/plans/{plan_id}")
async def delete_plan(tx: Tx, plan_id: Id) -> Message:
    """Hide a plan, unless it has active subscriptions."""
    await catalog.delete_plan(tx, plan_id, PLAN_DELETION_GUARDS)
    return Message(message="plan deleted")


def _check_currency(code: str | None) -> None:
    if code and not tenancy.is_currency(code):
        raise invalid({"currency": "must be an ISO 4217 currency code such as NGN"})


def _available(mode: BillingMode | None) -> BillingMode | None:
    if mode not in {None, BillingMode.POSTPAID}:
        raise invalid({"billing_mode": "must be postpaid: prepaid and realtime need wallets"})
    return mode


def _price_drafts(prices: list[PriceIn]) -> list[PriceDraft]:
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
            model = parse_price_model(
                model=price.model, unit_price=price.unit_price, tiers=price.tiers, path=path
            )
        except DomainError as error:
            faults.update(error.fields)
            continue
        if metric_id is not None:
            terms = PriceTerms(MetricId(metric_id), model, price.model)
            drafts.append(PriceDraft(None if price_id is None else PriceId(price_id), terms))
    if faults:
        raise invalid(faults)
    return drafts
