"""Prices on the wire, and how the catalog takes those that are sent."""

from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from monigo.api.kernel.wire.incoming import Incoming, Name
from monigo.api.kernel.wire.outgoing import Instant, Money, Outgoing, UnitPrice, money_or_null
from monigo.catalog import Price, PriceDraft, PriceTerms
from monigo.core.errors import DomainError, invalid
from monigo.core.ids import MetricId, PlanId, PriceId, parse_id
from monigo.core.money import MONEY_PLACES, format_money, parse_decimal
from monigo.core.pricing import parse_charge, price_model_json

ID_EXAMPLE = "0197b3c0-0000-7000-8000-000000000000"

_DECIMAL_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}]}

_TIERS_EXAMPLE = [{"up_to": 1000, "unit_amount": "5"}, {"up_to": None, "unit_amount": "1"}]

# Shown for a model that has none, as clients read a string.
NO_UNIT_PRICE = "0.000000"

UnitPriceIn = Annotated[Any, WithJsonSchema(_DECIMAL_SCHEMA)]
# `forms` describes them by model.
Tiers = Annotated[Any, Field(examples=[_TIERS_EXAMPLE])]

# Read with its price, so that a fault is named by its whole path.
_PriceAmount = Annotated[Any, WithJsonSchema(_DECIMAL_SCHEMA)]


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

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"metric_id": ID_EXAMPLE, "model": "flat_unit", "unit_price": "2.000000"}]
        }
    )

    id: Name | None = None
    metric_id: Name = Field(examples=[ID_EXAMPLE])
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


class PriceOut(Outgoing, frozen=True):
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
            unit_price=unit_price or NO_UNIT_PRICE,
            tiers=tiers,
            flat_fee=format_money(charge.flat_fee),
            minimum_amount=money_or_null(charge.minimum_amount),
            maximum_amount=money_or_null(charge.maximum_amount),
            revision=price.revision,
            created_at=price.created_at,
            updated_at=price.updated_at,
        )


def price_drafts(prices: list[PriceIn]) -> list[PriceDraft]:
    """The prices as the catalog takes them; all faults of all prices are reported at once."""
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
