"""Price overrides on the wire."""

from typing import Any, Self

from pydantic import ConfigDict, Field

from monigo.api.kernel.wire.incoming import Incoming, InstantIn, Name
from monigo.api.kernel.wire.outgoing import Instant, ListEnvelope, Outgoing, UnitPrice
from monigo.api.merchant.prices.schemas import ID_EXAMPLE, NO_UNIT_PRICE, Tiers, UnitPriceIn
from monigo.catalog import PriceOverride
from monigo.core.ids import CustomerId, OrganizationId, PriceId, PriceOverrideId
from monigo.core.pricing import price_model_json
from monigo.infra.db import Transaction


class OverrideIn(Incoming):
    """What a customer pays for a price's usage; the price's fee and bounds stay."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "customer_id": "driver-42",
                    "price_id": ID_EXAMPLE,
                    "model": "flat_unit",
                    "unit_price": "1.500000",
                }
            ]
        }
    )

    customer_id: Name = Field(
        description="UUID or external_id of the customer", examples=["driver-42"]
    )
    price_id: Name = Field(examples=[ID_EXAMPLE])
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


class OverrideOut(Outgoing, frozen=True):
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
            unit_price=unit_price or NO_UNIT_PRICE,
            tiers=tiers,
            valid_from=override.valid_from,
            valid_until=override.valid_until,
            created_at=override.created_at,
            updated_at=override.updated_at,
        )


class OverrideEnvelope(Outgoing, frozen=True):
    """One price override."""

    price_override: OverrideOut


class OverrideList(ListEnvelope, frozen=True):
    """Price overrides, newest first."""

    price_overrides: list[OverrideOut]
