"""The facts of price overrides."""

from monigo.core.ids import CustomerId, PriceId, PriceOverrideId
from monigo.infra.outbox import Fact


class OverrideFact(Fact, frozen=True, kw_only=True):
    """Something that happened to what one customer pays in place of a price's own model."""

    subject = "price_override"
    subject_field = "price_override_id"
    price_override_id: PriceOverrideId
    customer_id: CustomerId
    price_id: PriceId


class OverrideCreated(OverrideFact, frozen=True, kw_only=True):
    """A customer has an override of a price."""


class OverrideChanged(OverrideFact, frozen=True, kw_only=True):
    """The terms of an override were changed."""


class OverrideDeleted(OverrideFact, frozen=True, kw_only=True):
    """An override was hidden."""
