"""Price overrides: what one customer pays in place of a price's own model, for a time."""

from monigo.catalog.overrides import events
from monigo.catalog.overrides.rules import charge_under, override_for
from monigo.catalog.overrides.service import (
    create_override,
    delete_override,
    get_override,
    list_overrides,
    overrides_of,
    percentages_among,
    update_override,
)
from monigo.catalog.overrides.types import NewOverride, OverrideChanges, PriceOverride

__all__ = [
    "NewOverride",
    "OverrideChanges",
    "PriceOverride",
    "charge_under",
    "create_override",
    "delete_override",
    "events",
    "get_override",
    "list_overrides",
    "override_for",
    "overrides_of",
    "percentages_among",
    "update_override",
]
