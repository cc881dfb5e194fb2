"""Countries and currencies to choose from, and what a country proposes for an organisation."""

from monigo.people.countries.rules import (
    Country,
    Currency,
    Proposal,
    ProviderOfCountry,
    ProviderOfCurrency,
    countries,
    currencies,
    proposal_for,
)

__all__ = [
    "Country",
    "Currency",
    "Proposal",
    "ProviderOfCountry",
    "ProviderOfCurrency",
    "countries",
    "currencies",
    "proposal_for",
]
