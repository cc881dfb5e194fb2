"""Strategies that draw prices and quantities, up to the largest that can be stored."""

from decimal import Decimal

from hypothesis import strategies as st

from monigo.core.pricing import (
    FlatUnit,
    Overage,
    Package,
    Percentage,
    PricingModel,
    Tier,
    Tiered,
    Volume,
    WeightedTiered,
)

PRICES = st.decimals(min_value=0, max_value=10**17, places=12)
SIZES = st.decimals(min_value=Decimal("0.000000000001"), max_value=10**17, places=12)
QUANTITIES = st.decimals(min_value=0, max_value=Decimal(10) ** 25, places=12)


@st.composite
def tiers(draw, limits=SIZES):
    ascending = sorted(draw(st.sets(limits, max_size=5)))
    return tuple(Tier(up_to, draw(PRICES)) for up_to in [*ascending, None])


SMALL_TIERS = tiers(limits=st.integers(min_value=1, max_value=30).map(Decimal))
MODELS = {
    PricingModel.FLAT_UNIT: st.builds(FlatUnit, PRICES),
    PricingModel.TIERED: st.builds(Tiered, tiers()),
    PricingModel.VOLUME: st.builds(Volume, tiers()),
    PricingModel.WEIGHTED_TIERED: st.builds(WeightedTiered, tiers()),
    PricingModel.PACKAGE: st.builds(Package, SIZES, PRICES, st.booleans()),
    PricingModel.OVERAGE: st.builds(
        Overage, QUANTITIES.filter(lambda q: q < 10**18), PRICES, PRICES
    ),
    PricingModel.PERCENTAGE: st.builds(Percentage, PRICES, PRICES),
}
