"""Prices: a pricing model on one metric of a plan, with an id for life and revisions."""

from monigo.catalog.prices.rules import (
    NO_PRICE_CHANGES,
    PERCENTAGE_NEEDS_SUM,
    PRICES_MAX,
    PriceChanges,
    price_changes,
)
from monigo.catalog.prices.service import (
    check_metrics,
    lock_known,
    lock_offered,
    present_of,
    revisions_of,
    store_changes,
)
from monigo.catalog.prices.types import Price, PriceDraft, PriceRevision, PriceTerms

__all__ = [
    "NO_PRICE_CHANGES",
    "PERCENTAGE_NEEDS_SUM",
    "PRICES_MAX",
    "Price",
    "PriceChanges",
    "PriceDraft",
    "PriceRevision",
    "PriceTerms",
    "check_metrics",
    "lock_known",
    "lock_offered",
    "present_of",
    "price_changes",
    "revisions_of",
    "store_changes",
]
