"""What a payment provider is known to support."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct


class ProviderName(StrEnum):
    """A payment provider."""

    PAYSTACK = "paystack"
    FLUTTERWAVE = "flutterwave"
    MONNIFY = "monnify"


class PayoutMethod(StrEnum):
    """How money reaches a payee."""

    BANK_TRANSFER = "bank_transfer"
    MOBILE_MONEY = "mobile_money"


class Provider(Struct, frozen=True):
    """What one provider supports, by ISO codes of countries and currencies.

    It collects the currencies of `collects` from payers anywhere, those of `collects_in` for
    merchants of the country. `pays_out` are the countries of payees, and `minimums` the least that
    it charges at once.
    """

    name: ProviderName
    collects: frozenset[str]
    collects_in: Mapping[str, frozenset[str]]
    pays_out: Mapping[str, frozenset[PayoutMethod]]
    minimums: Mapping[str, Decimal]

    def collected_in(self, country: str, currency: str) -> frozenset[str]:
        """What it collects for a country's merchants, whose own currency is given."""
        return self.collects_in.get(country, frozenset()) | (self.collects & {currency})

    def is_collected(self, currency: str) -> bool:
        """Whether it collects a currency at all."""
        return currency in self.collects or any(
            currency in currencies for currencies in self.collects_in.values()
        )
