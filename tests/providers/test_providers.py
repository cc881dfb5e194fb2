"""The table of providers says nothing that can't be."""

import re

import pytest

from monigo.core.money import minor_unit_places
from monigo.people.countries import countries, currencies
from monigo.providers.port import ProviderName
from monigo.providers.registry import PROVIDERS


def test_each_provider_stands_in_the_table_once():
    assert sorted(one.name for one in PROVIDERS) == sorted(ProviderName)


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda one: one.name)
def test_its_codes_are_countries_and_currencies_that_there_are(provider):
    known = {one.code for one in countries()}
    collected = provider.collects.union(*provider.collects_in.values())

    assert {*provider.collects_in, *provider.pays_out} <= known
    assert collected <= {one.code for one in currencies()}
    assert all(re.fullmatch("[A-Z]{3}", code) for code in collected)


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda one: one.name)
def test_a_minimum_is_an_amount_of_a_currency_that_is_collected(provider):
    assert all(provider.is_collected(code) for code in provider.minimums)
    assert all(
        0 < amount == round(amount, minor_unit_places(code))
        for code, amount in provider.minimums.items()
    )


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda one: one.name)
def test_a_country_that_is_paid_out_to_has_a_way(provider):
    assert all(provider.pays_out.values())


@pytest.mark.parametrize(
    ("position", "country", "currency", "collected"),
    [
        (0, "KE", "KES", {"KES", "USD"}),
        (0, "UG", "UGX", set()),
        (1, "UG", "UGX", {"UGX"}),
        (1, "JP", "JPY", set()),
        (2, "NG", "NGN", {"NGN"}),
        (2, "GH", "GHS", set()),
    ],
)
def test_what_is_collected_for_a_countrys_merchants(position, country, currency, collected):
    assert PROVIDERS[position].collected_in(country, currency) == collected
