"""Routes of price overrides: what one customer pays in place of a price's own model."""

from typing import Annotated

from fastapi import APIRouter, Query

from monigo import catalog
from monigo.api.kernel.changes import Changes
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id, Name
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import Message
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.price_overrides.schemas import (
    OverrideEnvelope,
    OverrideIn,
    OverrideList,
    OverrideOut,
    OverrideUpdate,
)
from monigo.catalog import NewOverride, OverrideChanges, PriceOverride
from monigo.core.access import Permission
from monigo.core.pricing import parse_price_model

router = APIRouter(route_class=TenantRoute, tags=["price overrides"])

PRICE_OVERRIDE = Changes("price_override", PriceOverride, OverrideOut.of)


@router.post("/price-overrides", status_code=201)
@atomic(Permission.PRICE_OVERRIDES_WRITE, changes=PRICE_OVERRIDE)
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
@atomic(Permission.PRICE_OVERRIDES_WRITE, changes=PRICE_OVERRIDE)
async def update_price_override(tx: Tx, override_id: Id, body: OverrideUpdate) -> OverrideEnvelope:
    """Change what is sent; a unit price or tiers replace what there was of both."""
    changes = OverrideChanges(
        body.model or None, body.unit_price, body.tiers, body.valid_from, body.valid_until
    )
    override = await catalog.update_override(tx, override_id, changes)
    return OverrideEnvelope(price_override=OverrideOut.of(tx, override))


@router.delete("/price-overrides/{override_id}")
@atomic(Permission.PRICE_OVERRIDES_WRITE, changes=PRICE_OVERRIDE)
async def delete_price_override(tx: Tx, override_id: Id) -> Message:
    """Hide a price override; the price's own model counts again for what is not billed yet."""
    await catalog.delete_override(tx, override_id)
    return Message(message="price override deleted")
