"""What payees were owed and got, the tax withheld of it, and who may have money sent unseen."""

import csv
import io
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from monigo.core.ids import OrganizationId
from support.api import Api
from support.payouts import Fleet
from support.people import Person

NEW_YEAR = datetime(2032, 1, 1, tzinfo=UTC)


@pytest.fixture
def fleet(api):
    return Fleet(api)


def statement(fleet, customer="ada"):
    answer = fleet.api.get(f"/v1/customers/{customer}/payout-statement.csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_a_statement_adds_up_to_what_is_owed(fleet):
    driver = fleet.driver()
    first, void = fleet.owe(driver, "1000"), fleet.owe(driver, "500")
    fleet.script("transfer", "failed")
    fleet.initiate(first)
    fleet.initiate(first)
    fleet.post(void, "void")
    fleet.owe(driver)

    lines = statement(fleet)

    assert [(one["entry_type"], one["amount"], one["owed_after"]) for one in lines] == [
        ("bill", "800.000000", "800.000000"),
        ("bill", "400.000000", "1200.000000"),
        ("payout", "-800.000000", "400.000000"),
        ("void", "-400.000000", "0.000000"),
        ("bill", "1200.000000", "1200.000000"),
    ]
    paid = next(one for one in fleet.transactions(first) if one["status"] == "succeeded")
    assert (lines[2]["reference"], lines[2]["account"]) == (paid["reference"], "******0031")
    assert lines[0]["bill"] == first["number"]


def test_a_payee_without_bills_has_an_empty_statement(api, fleet):
    fleet.driver()

    assert statement(fleet) == []
    assert api.get("/v1/customers/nobody/payout-statement.csv").status_code == 404


def test_the_tax_withheld_in_a_year_is_listed_by_payee(api, fleet):
    fleet.set(wht_enabled=True, wht_rate=5)
    driver = fleet.driver()
    fleet.initiate(fleet.owe(driver, "1000"))
    fleet.post(fleet.owe(driver, "500"), "void")
    fleet.owe(driver)
    year = api.backend.clock.now().year

    answer = api.get("/v1/reports/withholding-tax", params={"year": year}).json()
    before = api.get("/v1/reports/withholding-tax", params={"year": year - 1}).json()

    (shown,) = answer["withholding_tax"]
    assert (shown["customer_name"], shown["bills"]) == ("Ada Obi", 2)
    assert (shown["subtotal"], shown["wht_amount"]) == ("2000.000000", "100.000000")
    assert shown["amount_paid"] == "760.000000"
    assert before["withholding_tax"] == []


def test_the_year_of_the_tax_is_of_the_organisations_zone(api, fleet):
    fleet.set(wht_enabled=True, wht_rate=5, timezone="Africa/Lagos")
    clock = api.backend.clock
    # In Lagos it is half past midnight, of the next year.
    clock.advance(seconds=(NEW_YEAR - timedelta(minutes=30) - clock.now()).total_seconds())
    fleet.owe(fleet.driver())

    (shown,) = api.get("/v1/reports/withholding-tax").json()["withholding_tax"]
    before = api.get("/v1/reports/withholding-tax", params={"year": NEW_YEAR.year - 1}).json()

    assert shown["wht_amount"] == "40.000000"
    assert before["withholding_tax"] == []


@pytest.mark.parametrize("year", ["0", "10000", "x"])
def test_a_year_that_is_none_is_named(api, year):
    answer = api.get("/v1/reports/withholding-tax", params={"year": year})

    assert answer.status_code == 400
    assert list(answer.json()["details"]) == ["year"]


def test_only_an_owner_has_live_payouts_sent_unseen(backend):
    with Person.signed_in(backend) as owner, Person.signed_in(backend) as admin:
        org_id = owner.found()["organization"]["id"]
        owner.join(admin, org_id, "admin")
        key = Api.of(backend, OrganizationId(UUID(org_id)), is_test=True)
        wanted = {"payout_mode": "automatic", "org_id": org_id}

        by_key = key.patch("/v1/organization", json={"payout_mode": "automatic"})
        by_admin = admin.put(f"/organizations/{org_id}", json=wanted)
        by_owner = owner.put(f"/organizations/{org_id}", json=wanted)
        back = key.patch("/v1/organization", json={"payout_mode": "approval"})

        assert [(one.status_code, one.json()["code"]) for one in (by_key, by_admin)] == [
            (403, "owner_only")
        ] * 2
        assert by_owner.json()["organization"]["payout_mode"] == "automatic"
        assert back.json()["organization"]["payout_mode"] == "approval"


def test_modes_that_are_none_are_named(api):
    answer = api.patch("/v1/organization", json={"payout_mode": "often", "test_payout_mode": ""})

    assert answer.status_code == 400
    assert list(answer.json()["details"]) == ["payout_mode", "test_payout_mode"]
