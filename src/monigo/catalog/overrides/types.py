"""Price overrides: what one customer pays in place of a price's own model."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from monigo.core.ids import CustomerId, PriceId, PriceOverrideId
from monigo.core.pricing import PriceModel


class OverrideTerms(Struct, frozen=True):
    """A model in place of a price's own, from `valid_from` up to, not including, `valid_until`.

    None: without end. `model_name` is the model's name as the client wrote it.
    """

    model: PriceModel
    model_name: str
    valid_from: datetime
    valid_until: datetime | None


class NewOverride(Struct, frozen=True):
    """An override as asked for; the customer by id or external_id."""

    customer: str
    price: str
    model: PriceModel
    model_name: str
    valid_from: datetime | None
    valid_until: datetime | None


class OverrideChanges(Struct, frozen=True):
    """An edit of an override, the model as the client wrote it; None leaves what it is of."""

    model_name: str | None = None
    unit_price: object = None
    tiers: object = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None


class OverrideFilter(Struct, frozen=True):
    """Which overrides are asked for; None: all of them."""

    customer_id: CustomerId | None
    price_id: UUID | None


class PriceOverride(Struct, frozen=True):
    """What one customer pays in place of a price's own model; fee and bounds stay the price's."""

    id: PriceOverrideId
    customer_id: CustomerId
    price_id: PriceId
    model: PriceModel
    model_name: str
    valid_from: datetime
    valid_until: datetime | None
    created_at: datetime
    updated_at: datetime
