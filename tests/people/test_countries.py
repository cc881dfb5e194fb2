"""Countries and currencies: what there is to choose from, what is proposed, who pays there."""

from decimal import Decimal

import httpx
import pytest

from monigo.people.countries import countries, currencies, proposal_for


def by_code(rows):
    return {row["code"]: row for row in rows}


@pytest.fixture
def ask(backend):
    """Ask as somebody without any credential."""

    def get(path, **params):
        return httpx.get(f"{backend.url}/api/v1/{path}", params=params, timeout=30)

    return get


@pytest.mark.parametrize(
    ("country", "proposed"),
    [
        ("NG", ("Africa/Lagos", "NGN", "en", "7.5")),
        ("KE", ("Africa/Nairobi", "KES", "sw", "16")),
        ("GH", ("Africa/Accra", "GHS", "en", "15")),
        ("CI", ("Africa/Abidjan", "XOF", "fr", "18")),
        ("ZA", ("Africa/Johannesburg", "ZAR", "en", "15")),
    ],
)
def test_a_country_proposes_zone_currency_language_and_vat_rate(country, proposed):
    made = proposal_for(country)

    assert (made.timezone, made.currency, made.language, made.vat_rate) == (
        *proposed[:3],
        Decimal(proposed[3]),
    )


def test_of_a_country_that_nobody_knows_the_usual_is_proposed():
    made = proposal_for("XX")

    assert (made.timezone, made.currency, made.language, made.vat_rate) == ("UTC", "USD", "en", 0)


def test_countries_are_those_of_cldr_with_a_currency(ask):
    told = ask("countries").json()

    known = by_code(told["countries"])
    assert told["count"] == told["total"] == len(known) > 200
    assert told["has_more"] is False
    assert {"EU", "UN", "IC"}.isdisjoint(known)
    assert [one["name"] for one in told["countries"]] == sorted(
        one["name"] for one in told["countries"]
    )


def test_a_country_tells_which_providers_collect_and_pay_out_there(ask):
    known = by_code(ask("countries").json()["countries"])

    assert known["NG"] == {
        "code": "NG",
        "name": "Nigeria",
        "currency": "NGN",
        "timezone": "Africa/Lagos",
        "language": "en",
        "vat_rate": 7.5,
        "providers": [
            {"provider": "paystack", "collects": ["NGN", "USD"], "pays_out": ["bank_transfer"]},
            {"provider": "flutterwave", "collects": ["NGN"], "pays_out": ["bank_transfer"]},
            {"provider": "monnify", "collects": ["NGN"], "pays_out": ["bank_transfer"]},
        ],
    }
    assert [one["provider"] for one in known["UG"]["providers"]] == ["flutterwave"]
    assert known["UG"]["providers"][0]["pays_out"] == ["bank_transfer", "mobile_money"]
    assert known["EG"]["providers"][0] == {
        "provider": "paystack",
        "collects": ["EGP"],
        "pays_out": [],
    }
    assert known["JP"]["providers"] == []


def test_a_currency_tells_its_symbol_places_and_providers(ask):
    known = by_code(ask("currencies").json()["currencies"])

    assert known["NGN"] == {
        "code": "NGN",
        "name": "Nigerian Naira",
        "symbol": "₦",
        "decimals": 2,
        "providers": [
            {
                "provider": "paystack",
                "collects": True,
                "pays_out": True,
                "minimum_charge": "50.000000",
            },
            {
                "provider": "flutterwave",
                "collects": True,
                "pays_out": True,
                "minimum_charge": None,
            },
            {
                "provider": "monnify",
                "collects": True,
                "pays_out": True,
                "minimum_charge": "20.000000",
            },
        ],
    }
    assert known["XOF"]["decimals"] == 0
    assert known["GNF"]["providers"] == [
        {
            "provider": "flutterwave",
            "collects": False,
            "pays_out": True,
            "minimum_charge": None,
        }
    ]


@pytest.mark.parametrize(
    ("path", "provider", "codes"),
    [
        ("countries", "monnify", ["NG"]),
        ("countries", "paystack", ["CI", "EG", "GH", "KE", "NG", "RW", "ZA"]),
        ("currencies", "monnify", ["NGN"]),
        ("currencies", "paystack", ["EGP", "GHS", "KES", "NGN", "RWF", "USD", "XOF", "ZAR"]),
    ],
)
def test_lists_can_be_held_to_one_provider(ask, path, provider, codes):
    told = ask(path, provider=provider).json()

    assert sorted(one["code"] for one in told[path]) == codes
    assert told["total"] == len(codes)


@pytest.mark.parametrize(
    ("path", "all_of_them"), [("countries", countries), ("currencies", currencies)]
)
def test_lists_come_by_pages(ask, path, all_of_them):
    whole = [one.code for one in all_of_them()]

    first = ask(path, limit=3).json()
    last = ask(path, limit=3, offset=len(whole) - 2).json()

    assert [one["code"] for one in first[path]] == whole[:3]
    assert (first["count"], first["total"], first["has_more"]) == (3, len(whole), True)
    assert [one["code"] for one in last[path]] == whole[-2:]
    assert (last["count"], last["has_more"]) == (2, False)


@pytest.mark.parametrize(
    ("params", "field"),
    [({"provider": "stripe"}, "provider"), ({"limit": 0}, "limit"), ({"offset": "x"}, "offset")],
)
@pytest.mark.parametrize("path", ["countries", "currencies"])
def test_bad_questions_are_named(ask, path, params, field):
    answer = ask(path, **params)

    assert answer.status_code == 400
    assert list(answer.json()["details"]) == [field]
