"""All CSV routes: ranges by name, a byte order mark if asked for, cells that nothing runs."""

import csv
import io

import pytest

from monigo.infra.csv_text import plain_text
from support.api import event

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# As a keyboard set to Japanese types = + - @.
FULL_WIDTH = "\uff1d\uff0b\uff0d\uff20"
RUN = ["=1+1", "+1", "-1", "@a", "\ta", "\ra", "\na", "\n=1", *(f"{sign}1" for sign in FULL_WIDTH)]
KEPT = ["", "a", "'=1", "1", " =1", "a=1", "\u00a0=1"]


@pytest.mark.parametrize("text", RUN)
def test_what_a_spreadsheet_would_run_begins_with_an_apostrophe(text):
    assert plain_text(text) == f"'{text}"


@pytest.mark.parametrize("text", KEPT)
def test_other_text_stays_as_it_is(text):
    assert plain_text(text) == text


# How many cells of each export's row would be run.
GUARDED = {"events": 1, "invoices": 2, "bills": 1, "reports": 1, "statement": 4}


@pytest.fixture
def csv_paths(api):
    """The path of each export, with something dangerous in each of its texts."""
    customer, metric = api.customer("c1", name=f"{FULL_WIDTH[0]}name"), api.metric()
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "2"}
    plan = api.plan(price, name="\n=plan")
    earned = api.plan(price, name=f"{FULL_WIDTH[1]}plan", plan_type="payout")
    subscription = api.subscribe(customer["id"], plan["id"])
    payout = api.subscribe(customer["id"], earned["id"])
    api.ingest(event("\n=key"))
    final = api.finalize(api.draft(subscription["id"])["id"])
    api.post(f"/v1/invoices/{final['id']}/mark-paid", json={"reference": f"{FULL_WIDTH[3]}bank"})
    api.make("/v1/bills", {"subscription_id": payout["id"]}, "bill")
    wallet = api.wallet("c1")
    texts = dict.fromkeys(["description", "reference_type", "reference_id"], "\n=text")
    api.move(wallet, "credit", "5", "deposit", key=f"{FULL_WIDTH[0]}key", **texts)
    return {
        "events": "events/export",
        "invoices": "invoices/export",
        "bills": "bills/export",
        "reports": "reports/export",
        "statement": f"wallets/{wallet['id']}/statement.csv",
    }


@pytest.mark.parametrize("what", GUARDED)
@pytest.mark.parametrize("face", ["/v1", "/api/v1"])
def test_every_export_is_safe_and_marked_if_asked(api, csv_paths, what, face):
    path = f"{face}/{csv_paths[what]}"

    plain, marked, unmarked = (
        api.get(path, params=query) for query in ({}, {"bom": "true"}, {"bom": "false"})
    )

    rows = list(csv.reader(io.StringIO(plain.text, newline="")))
    risky = ("=", "+", "@", "\t", "\r", "\n", *FULL_WIDTH)
    assert len(rows) == 2
    assert [cell for row in rows for cell in row if cell.startswith(risky)] == []
    assert sum(cell.startswith("'") for cell in rows[1]) == GUARDED[what]
    assert marked.content == BYTE_ORDER_MARK + plain.content
    assert unmarked.content == plain.content
    assert plain.headers["content-type"] == "text/csv; charset=utf-8"
    assert plain.headers["content-disposition"].startswith('attachment; filename="')


def test_a_mark_that_is_neither_yes_nor_no_is_named(api):
    answer = api.get("/v1/invoices/export", params={"bom": "perhaps"})

    assert (answer.status_code, list(answer.json()["details"])) == (400, ["bom"])


# Midnights of Lagos, which is an hour ahead: 23:00 in UTC.
@pytest.mark.parametrize(
    ("span", "keys"),
    [
        ("today", ["today"]),
        ("week", ["week", "today"]),
        ("month", ["month", "week", "today"]),
        ("3months", ["3months", "month", "week", "today"]),
        ("all", ["before", "3months", "month", "week", "today"]),
    ],
)
@pytest.mark.parametrize("face", ["/v1", "/api/v1"])
def test_an_export_reaches_back_to_a_named_midnight(api, clock, face, span, keys):
    api.patch("/v1/organization", json={"timezone": "Africa/Lagos"})
    api.customer("c1")
    clock("2027-02-28T12:00:00Z")
    api.ingest(
        event("before", timestamp="2027-02-27T22:59:59Z"),
        event("3months", timestamp="2027-02-27T23:00:00Z"),
    )
    clock("2027-05-31T00:30:00Z")
    api.ingest(
        event("month", timestamp="2027-04-29T23:00:00Z"),
        event("week", timestamp="2027-05-23T23:00:00Z"),
        event("today", timestamp="2027-05-30T23:00:00Z"),
    )

    answer = api.get(f"{face}/events/export", params={"customer_id": "c1", "range": span})

    rows = csv.DictReader(io.StringIO(answer.text, newline=""))
    assert [row["idempotency_key"] for row in rows] == keys[::-1]
