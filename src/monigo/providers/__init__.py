"""Payment providers: what each supports, and where."""

from monigo.providers.rules import PROVIDERS
from monigo.providers.types import PayoutMethod, Provider, ProviderName

__all__ = ["PROVIDERS", "PayoutMethod", "Provider", "ProviderName"]
