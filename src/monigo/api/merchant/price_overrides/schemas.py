"""Price overrides on the wire."""

from decimal import Decimal
from typing import Any, Self

from pydantic import Field

from monigo.api.kernel.wire.fields import (
    Incoming,
    Instant,
    InstantIn,
    ListEnvelope,
    Name,
    Outgoing,
    UnitPrice,
)
from monigo.api.merchant.prices.schemas import Tiers, UnitPriceIn
from monigo.catalog import PriceOverride
from monigo.core.ids import CustomerId, OrganizationId, PriceId, PriceOverrideId
from monigo.core.pricing import price_model_json
from monigo.infra.db import Transaction

_ID_EXAMPLE = "0197b3c0-0000-7000-8000-000000000000"


class OverrideIn(Incoming):
    """What a customer pays for a price's usage; the price's fee and bounds stay."""

    customer_id: Name = Field(
        description="UUID or external_id of the customer", examples=["driver-42"]
    )
    price_id: Name = Field(examples=[_ID_EXAMPLE])
    model: Name = Field(examples=["flat_unit"])
    unit_price: UnitPriceIn = Field(default=None, examples=["1.500000"])
    tiers: Tiers = None
    valid_from: InstantIn = Field(default=None, description="unset: now")
    valid_until: InstantIn = Field(
        default=None,
        description="exclusive; unset: without end. The override that holds as a period ends"
        " prices the whole period.",
    )


class OverrideUpdate(Incoming):
    """Changes of an override; what is not sent stays as it is."""

    model: Name | None = Field(default=None, examples=["flat_unit"])
    unit_price: UnitPriceIn = Field(default=None, examples=["1.500000"])
    tiers: Tiers = None
    valid_from: InstantIn = None
    valid_until: InstantIn = None


class OverrideOut(Outgoing):
    """A price override."""

    id: PriceOverrideId
    org_id: OrganizationId
    customer_id: CustomerId
    price_id: PriceId
    model: str
    unit_price: UnitPrice
    tiers: Any
    valid_from: Instant
    valid_until: Instant | None
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, tx: Transaction, override: PriceOverride) -> Self:
        """The wire form; a model without a unit price shows 0, as clients read a string."""
        unit_price, tiers = price_model_json(override.model)
        return cls(
            id=override.id,
            org_id=tx.org_id,
            customer_id=override.customer_id,
            price_id=override.price_id,
            model=override.model_name,
            unit_price=Decimal(unit_price or 0),
            tiers=tiers,
            valid_from=override.valid_from,
            valid_until=override.valid_until,
            created_at=override.created_at,
            updated_at=override.updated_at,
        )


class OverrideEnvelope(Outgoing):
    """One price override."""

    price_override: OverrideOut


class OverrideList(ListEnvelope):
    """Price overrides, newest first."""

    price_overrides: list[OverrideOut]
