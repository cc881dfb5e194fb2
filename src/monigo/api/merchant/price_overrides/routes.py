"""Routes of price overrides: what one customer pays in place of a price's own model."""

from decimal import Decimal
from typing import Annotated, Any, Self

from fastapi import APIRouter, Query
from pydantic import Field

from monigo import catalog
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.fields import (
    Id,
    Incoming,
    Instant,
    InstantIn,
    ListEnvelope,
    Message,
    Name,
    Outgoing,
    UnitPrice,
)
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.plans.routes import Tiers, UnitPriceIn
from monigo.catalog import NewOverride, OverrideChanges, PriceOverride
from monigo.core.ids import CustomerId, OrganizationId, PriceId, PriceOverrideId
from monigo.core.permissions import Permission
from monigo.core.price_forms import parse_price_model, price_model_json
from monigo.infra.db import Transaction

router = APIRouter(route_class=TenantRoute, tags=["price overrides"])

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


@router.post("/price-overrides", status_code=201)
@atomic(Permission.PRICE_OVERRIDES_WRITE)
async def create_price_override(tx: Tx, body: OverrideIn) -> OverrideEnvelope:
    """Have one customer pay something else; 409 where another override holds at the same time."""
    model = parse_price_model(
        model=body.model, unit_price=body.unit_price, tiers=body.tiers, path=""
    )
    wanted = NewOverride(
        body.customer_id, body.price_id, model, body.model, body.valid_from, body.valid_until
    )
    override = await catalog.create_override(tx, wanted)
    return OverrideEnvelope(price_override=OverrideOut.of(tx, override))


@router.get("/price-overrides", response_model=OverrideList)
@atomic(Permission.PRICE_OVERRIDES_READ)
async def list_price_overrides(
    tx: Tx,
    paging: Paging,
    customer_id: Annotated[Name | None, Query()] = None,
    price_id: Annotated[Name | None, Query()] = None,
) -> ListResponse:
    """List price overrides, newest first."""
    page = await catalog.list_overrides(
        tx, paging, customer=customer_id or None, price=price_id or None
    )
    return ListResponse("price_overrides", page, lambda item: OverrideOut.of(tx, item))


@router.get("/price-overrides/{override_id}")
@atomic(Permission.PRICE_OVERRIDES_READ)
async def get_price_override(tx: Tx, override_id: Id) -> OverrideEnvelope:
    """Read a price override."""
    override = await catalog.get_override(tx, override_id)
    return OverrideEnvelope(price_override=OverrideOut.of(tx, override))


@router.put("/price-overrides/{override_id}")
@atomic(Permission.PRICE_OVERRIDES_WRITE)
async def update_price_override(tx: Tx, override_id: Id, body: OverrideUpdate) -> OverrideEnvelope:
    """Change what is sent; a unit price or tiers replace what there was of both."""
    changes = OverrideChanges(
        body.model or None, body.unit_price, body.tiers, body.valid_from, body.valid_until
    )
    override = await catalog.update_override(tx, override_id, changes)
    return OverrideEnvelope(price_override=OverrideOut.of(tx, override))


@router.delete("/price-overrides/{override_id}")
@atomic(Permission.PRICE_OVERRIDES_WRITE)
async def delete_price_override(tx: Tx, override_id: Id) -> Message:
    """Hide a price override; the price's own model counts again for what is not billed yet."""
    await catalog.delete_override(tx, override_id)
    return Message(message="price override deleted")
