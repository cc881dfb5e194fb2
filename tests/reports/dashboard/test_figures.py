"""The figures of the start page, against sums of the invoices and events themselves."""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from monigo.core.times import format_instant, parse_instant
from support.api import Api, event
from support.metering import fold
from support.people import Person

MICROSECOND = timedelta(microseconds=1)
CURRENCIES = ["NGN", "KES", "XOF"]
# Of whole hours, of a broken one, and with a day of 23 hours in the month.
ZONES = ["UTC", "Africa/Lagos", "Asia/Kathmandu", "America/St_Johns", "Africa/Cairo"]
NOW = datetime(2027, 5, 10, 21, 30, tzinfo=UTC)
FIGURES = ("billed", "collected", "owed_to_payees", "paid_out")
STATUSES = ("finalized", "paid", "payment_failed", "uncollectible", "void")

COPY_INVOICE = """
    INSERT INTO invoices SELECT (jsonb_populate_record(known, jsonb_build_object(
        'id', gen_random_uuid(), 'kind', 'interim', 'number', $2::int, 'plan_type', $3::text,
        'status', $4::text, 'currency', $5::text, 'subtotal', $6::text::numeric,
        'vat_enabled', false, 'vat_amount', 0, 'wht_amount', 0, 'total', $6::text::numeric,
        'amount_paid', $7::text::numeric, 'wallet_paid', 0, 'finalized_at', $8::timestamptz,
        'paid_at', $9::timestamptz, 'voided_at', $10::timestamptz,
        'voided_after', CASE WHEN $10::timestamptz IS NOT NULL THEN 1 END
    ))).* FROM invoices AS known WHERE id = $1
"""
SELECT_INVOICES = """
    SELECT plan_type, status, currency, total, amount_paid, finalized_at, paid_at
    FROM invoices WHERE org_id = $1 AND is_test = $2
"""


@pytest.fixture(params=ZONES)
def zone(request):
    return request.param


def dashboard(api, **params):
    answer = api.get("/api/v1/dashboard", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["dashboard"]


def midnight(instant, zone, days=0):
    """The midnight of an instant's local day, so many days away."""
    day = instant.astimezone(ZoneInfo(zone)).date() + timedelta(days=days)
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def borders(zone):
    """The midnights around today and a week, and the instants beside them."""
    midnights = [midnight(NOW, zone, days) for days in (-8, -7, -1, 0, 1)]
    return [
        one + change for one in midnights for change in (-MICROSECOND, timedelta(), MICROSECOND)
    ]


def plant(api, invoice_id, number, dice, at):
    """An invoice or bill of any status, that became final or was paid at an instant."""
    status = dice.choice(STATUSES)
    total = Decimal(dice.randrange(1, 10**9)) / 1000
    is_paid, is_void = status == "paid", status == "void"
    part = (
        Decimal(0) if is_void else dice.choice([Decimal(0), total / 2]).quantize(Decimal("0.001"))
    )
    api.backend.sql(
        COPY_INVOICE,
        invoice_id,
        number,
        dice.choice(["collection", "payout"]),
        status,
        dice.choice(CURRENCIES),
        str(total),
        str(total if is_paid else min(part, total - Decimal("0.001"))),
        at - timedelta(days=dice.randrange(3)) if is_paid else at,
        at if is_paid else None,
        at if is_void else None,
    )


def summed(api, start, end):
    """The amounts of some days by currency, each invoice looked at by itself."""
    sums = defaultdict(lambda: dict.fromkeys(FIGURES, Decimal(0)))
    for row in api.backend.sql(SELECT_INVOICES, api.org_id, api.tenant.is_test):
        of_currency = sums[row["currency"]]
        is_bill = row["plan_type"] == "payout"
        if row["finalized_at"] and start <= row["finalized_at"] < end:
            if not is_bill and row["status"] != "void":
                of_currency["billed"] += row["total"]
            if is_bill and row["status"] in {"finalized", "payment_failed"}:
                of_currency["owed_to_payees"] += row["total"] - row["amount_paid"]
        if row["paid_at"] and start <= row["paid_at"] < end:
            of_currency["paid_out" if is_bill else "collected"] += row["total"]
    return {currency: amounts for currency, amounts in sums.items() if any(amounts.values())}


def told(figures):
    """The amounts of an answer by currency, those that are nothing left out."""
    rows = {
        row["currency"]: {name: Decimal(row[name]) for name in FIGURES}
        for row in figures["amounts"]
    }
    return {currency: amounts for currency, amounts in rows.items() if any(amounts.values())}


def owed(api):
    sums = defaultdict(Decimal)
    for row in api.backend.sql(SELECT_INVOICES, api.org_id, api.tenant.is_test):
        if row["plan_type"] == "payout" and row["status"] in {"finalized", "payment_failed"}:
            sums[row["currency"]] += row["total"] - row["amount_paid"]
    return dict(sums)


@pytest.fixture
def final_invoice(api):
    """The id of a final invoice, of which others are made."""
    *_, subscription = api.subscribed_customer()
    api.ingest(event("billed"))
    return api.finalize(api.draft(subscription["id"])["id"])["id"]


def test_figures_are_the_sums_of_the_invoices_themselves(api, clock, zone, final_invoice):
    api.patch("/v1/organization", json={"timezone": zone})
    clock(format_instant(NOW))
    dice = random.Random(zone)
    for number, at in enumerate(borders(zone) * 4, start=100):
        plant(api, final_invoice, number, dice, at)

    page = dashboard(api, range="week")

    for span, days in (("today", 0), ("period", -7)):
        start, end = midnight(NOW, zone, days), midnight(NOW, zone, 1)
        assert (parse_instant(page[span]["from"]), parse_instant(page[span]["to"])) == (start, end)
        assert told(page[span]) == summed(api, start, end)
    assert {row["currency"]: Decimal(row["amount"]) for row in page["owed_to_payees"]} == owed(api)


def test_days_begin_and_end_at_midnight_in_the_organisations_zone(api, clock, zone):
    api.patch("/v1/organization", json={"timezone": zone})
    clock(format_instant(NOW))
    api.customer()
    api.metric()
    instants = [one for one in borders(zone) if one < NOW + timedelta(hours=1)]
    stamps = [one.isoformat() for one in instants]
    events = [event(str(place), timestamp=stamp) for place, stamp in enumerate(stamps)]
    api.ingest(*events[::2])
    fold(api)
    api.ingest(*events[1::2])

    page = dashboard(api, range="week")

    for span, days in (("today", 0), ("period", -7)):
        start, end = midnight(NOW, zone, days), midnight(NOW, zone, 1)
        assert page[span]["events"] == sum(start <= one < end for one in instants)
    fold(api)
    assert dashboard(api, range="week") == page


@pytest.mark.parametrize(
    ("asked", "days"),
    [("today", 0), ("week", -7), ("7d", -7), ("30d", -30), ("month", -30), ("3months", -89)],
)
def test_a_range_goes_back_to_a_midnight_and_ends_with_today(api, clock, asked, days):
    api.patch("/v1/organization", json={"timezone": "Africa/Lagos"})
    clock(format_instant(NOW))

    page = dashboard(api, range=asked)

    assert parse_instant(page["period"]["from"]) == midnight(NOW, "Africa/Lagos", days)
    assert page["period"]["to"] == page["today"]["to"]
    assert (page["timezone"], page["as_of"]) == ("Africa/Lagos", format_instant(NOW))


def test_the_usual_range_is_a_month_and_all_is_everything(api, final_invoice):
    assert dashboard(api)["period"] == dashboard(api, range="month")["period"]
    assert told(dashboard(api, range="all")["period"]) == summed(
        api, datetime(1970, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)
    )
    assert final_invoice


@pytest.mark.parametrize("asked", ["0d", "year", "7D", "-1d", "99999999d", "week\x00", "x" * 400])
def test_a_range_that_is_none_is_named(api, asked):
    answer = api.get("/api/v1/dashboard", params={"range": asked})

    assert answer.status_code == 400
    assert list(answer.json()["details"]) == ["range"]


def test_what_happens_in_this_instant_counts_though_a_clock_stands_still(api, clock):
    *_, subscription = api.subscribed_customer()
    clock(format_instant(NOW))
    api.ingest(event("now", timestamp=format_instant(NOW)))
    api.finalize(api.draft(subscription["id"])["id"])

    page = dashboard(api, range="today")

    assert page["today"]["events"] == 1
    assert told(page["today"])["NGN"]["billed"] == 2
    assert page["today"] == page["period"]


def test_nothing_is_told_in_the_default_currency(api):
    api.patch("/v1/organization", json={"default_currency": "KES"})

    page = dashboard(api)

    zeros = dict.fromkeys(FIGURES, "0.000000")
    assert page["today"]["amounts"] == [{"currency": "KES", **zeros}]
    assert (page["owed_to_payees"], page["needs_person"]) == ([], [])
    assert (page["today"]["events"], page["period"]["events"]) == (0, 0)


def test_an_invoice_that_is_paid_by_a_wallet_is_collected(api):
    *_, subscription = api.subscribed_customer()
    api.wallet(funds="100")
    api.ingest(event("1"))
    final = api.finalize(api.draft(subscription["id"])["id"])
    paid = api.post(f"/v1/invoices/{final['id']}/mark-paid", json={"reference": "cash"})

    page = dashboard(api, range="today")

    assert paid.status_code in {200, 409}
    assert told(page["today"])["NGN"]["billed"] == 2
    assert told(page["today"])["NGN"]["collected"] == 2


def test_modes_and_organisations_keep_their_figures_apart(api, backend, final_invoice):
    with Api.of(backend, api.org_id, is_test=False) as live, Api.of_new_organization(backend) as b:
        pages = [dashboard(client) for client in (live, b)]

    assert [page["period"]["events"] for page in pages] == [0, 0]
    assert [told(page["period"]) for page in pages] == [{}, {}]
    assert [page["is_test"] for page in pages] == [False, True]
    assert dashboard(api)["period"]["events"] == 1
    assert final_invoice


def test_figures_of_many_modes_are_read_by_a_person_with_one_question(backend):
    with Person.signed_in(backend) as ada, Person.signed_in(backend) as bola:
        org_id = ada.found()["organization"]["id"]
        ada.join(bola, org_id, "viewer")
        test = bola.get("/dashboard", params={"org_id": org_id, "is_test": "true"})
        live = bola.get("/dashboard", params={"org_id": org_id})

    assert (test.status_code, live.status_code) == (200, 200)
    assert test.json()["dashboard"]["is_test"] is True
    assert live.json()["dashboard"]["is_test"] is False
