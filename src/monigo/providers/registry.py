"""The providers that there are: adding one is its folder and a line here."""

from monigo.core.errors import not_found
from monigo.providers import flutterwave, monnify, paystack
from monigo.providers.port import Adapter, Capabilities, Market

ADAPTERS: dict[str, Adapter] = {
    "flutterwave": flutterwave.ADAPTER,
    "monnify": monnify.ADAPTER,
    "paystack": paystack.ADAPTER,
}


def adapter_of(provider: str) -> Adapter:
    """A provider's adapter.

    Raises:
        DomainError: not found, for a name that is no provider's.
    """
    adapter = ADAPTERS.get(provider)
    if adapter is None:
        raise not_found("provider")
    return adapter


def capabilities() -> tuple[Capabilities, ...]:
    """What each provider can do, by its name."""
    return tuple(adapter.capabilities for _, adapter in sorted(ADAPTERS.items()))


def markets_of(country: str) -> dict[str, Market]:
    """What providers do in a country (ISO 3166), by the provider's name."""
    return {
        one.provider: market
        for one in capabilities()
        for market in one.markets
        if market.country == country
    }
