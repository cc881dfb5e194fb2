"""The providers that there are: adding one is its folder and a line here."""

from monigo.core.errors import not_found
from monigo.providers import flutterwave, monnify, paystack
from monigo.providers.port import Adapter

# In the order in which they are shown.
ADAPTERS: dict[str, Adapter] = {
    adapter.capabilities.name.value: adapter
    for adapter in (paystack.ADAPTER, flutterwave.ADAPTER, monnify.ADAPTER)
}
PROVIDERS = tuple(adapter.capabilities for adapter in ADAPTERS.values())


def adapter_of(provider: str) -> Adapter:
    """A provider's adapter.

    Raises:
        DomainError: not found, for a name that is no provider's.
    """
    adapter = ADAPTERS.get(provider)
    if adapter is None:
        raise not_found("provider")
    return adapter
