"""Which settings of an organisation are valid; without a database."""

from decimal import Decimal
from hashlib import sha256

import pytest

from monigo.core.errors import DomainError, ErrorKind
from monigo.tenancy.rules import (
    KEY_PREFIX_SHOWN,
    KEY_PREFIXES,
    SECRET_LENGTH,
    checked,
    is_country,
    is_currency,
    secret_hash,
)
from monigo.tenancy.settings import CURRENCIES_MAX, SETTINGS
from support.values import organization


def faults_of(settings):
    with pytest.raises(DomainError) as refused:
        checked(organization(**settings))
    assert refused.value.kind is ErrorKind.INVALID
    return refused.value.fields


@pytest.mark.parametrize(
    ("code", "is_one"),
    [
        *(("NGN", True), ("USD", True), ("XOF", True), ("KES", True)),
        *(("ngn", False), ("Ngn", False), ("NG", False), ("NGNN", False), ("ABC", False)),
        *(("", False), ("123", False)),
    ],
)
def test_a_currency_is_told_by_its_code(code, is_one):
    assert is_currency(code) is is_one


@pytest.mark.parametrize(
    ("code", "is_one"),
    [("NG", True), ("KE", True), ("ZA", True), ("ng", False), ("XX", False), ("", False)],
)
def test_a_country_is_told_by_its_code(code, is_one):
    assert is_country(code) is is_one


@pytest.mark.parametrize(
    ("field", "least", "most"),
    [
        ("event_ingestion_grace_period_hours", 0, 720),
        ("raw_event_retention_days", 100, 36_500),
        ("requests_per_second_max", 1, 1_000_000),
        ("monthly_event_quota", 0, 1_000_000_000_000_000),
        ("vat_rate", Decimal(0), Decimal(100)),
        ("wht_rate", Decimal(0), Decimal(100)),
    ],
)
def test_a_number_has_its_bounds(field, least, most):
    group = SETTINGS[field].group
    for bound in (least, most):
        known = checked(organization(**{field: bound}))
        assert getattr(getattr(known, group), field) == bound
    assert list(faults_of({field: least - 1})) == [field]
    assert list(faults_of({field: most + 1})) == [field]


@pytest.mark.parametrize(
    ("settings", "faults"),
    [
        ({"name": ""}, {"name": "is required"}),
        ({"name": " \t"}, {"name": "is required"}),
        ({"country": "Nigeria"}, {"country": "must be an ISO 3166 country code such as NG"}),
        (
            {"default_currency": "naira"},
            {"default_currency": "must be an ISO 4217 currency code such as NGN"},
        ),
        (
            {"available_currencies": ("NGN", "usd", "KES", "")},
            {
                "available_currencies[1]": "must be an ISO 4217 currency code",
                "available_currencies[3]": "must be an ISO 4217 currency code",
            },
        ),
        (
            {"available_currencies": ("NGN",) * CURRENCIES_MAX + ("X",)},
            {"available_currencies": "must be at most 50"},
        ),
        ({"vat_rate": Decimal("100.0001")}, {"vat_rate": "must be a percentage from 0 to 100"}),
        ({"wht_rate": Decimal("-0.0001")}, {"wht_rate": "must be a percentage from 0 to 100"}),
        (
            {"event_ingestion_grace_period_hours": None},
            {"event_ingestion_grace_period_hours": "must be 0 to 720"},
        ),
        (
            {"monthly_event_quota": -1},
            {"monthly_event_quota": "must be 0 to 1000000000000000, or null"},
        ),
        (
            {"name": "", "vat_rate": Decimal(-1), "requests_per_second_max": 0},
            {
                "name": "is required",
                "vat_rate": "must be a percentage from 0 to 100",
                "requests_per_second_max": "must be 1 to 1000000, or null",
            },
        ),
    ],
)
def test_what_is_at_fault_is_named(settings, faults):
    assert faults_of(settings) == faults


def test_a_zone_that_is_none_is_named():
    assert list(faults_of({"timezone": "Mars/Olympus"})) == ["timezone"]


def test_limits_and_retention_and_a_country_may_be_left_open():
    settings = checked(
        organization(
            country="",
            raw_event_retention_days=None,
            requests_per_second_max=None,
            monthly_event_quota=None,
        )
    )

    assert settings.country == ""
    assert settings.retention.raw_event_retention_days is None


def test_settings_are_brought_to_one_form():
    settings = checked(
        organization(name="  Acme Ltd ", available_currencies=("USD", "NGN", "USD", "KES"))
    )

    assert settings.name == "Acme Ltd"
    assert settings.billing.available_currencies == ("NGN", "USD", "KES")


def test_so_many_currencies_may_be_available():
    assert checked(organization(available_currencies=("NGN",) * CURRENCIES_MAX))


def test_a_key_is_known_by_its_hash_and_its_mode_by_its_prefix():
    assert secret_hash("mk_test_ä") == sha256("mk_test_ä".encode()).digest()
    assert KEY_PREFIXES == {True: "mk_test_", False: "mk_live_"}
    assert (SECRET_LENGTH, KEY_PREFIX_SHOWN) == (72, 12)
