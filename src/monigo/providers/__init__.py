"""Payment providers: one port, an adapter for each, and the one way to call them."""

from monigo.providers.client import Call, Called, ProviderClient
from monigo.providers.registry import ADAPTERS, adapter_of, capabilities, markets_of

__all__ = [
    "ADAPTERS",
    "Call",
    "Called",
    "ProviderClient",
    "adapter_of",
    "capabilities",
    "markets_of",
]
