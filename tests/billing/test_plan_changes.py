"""A change of plan as the running period ends: shown, taken back, and billed at the boundary."""

import itertools

import pytest

from monigo import invoicing, metering
from monigo.core.times import format_instant
from support.agenda import do
from support.api import event
from support.pauses import pause_for_dunning
from support.verification import faults

START, MIDDLE = "2027-01-31T10:00:00Z", "2027-02-10T10:00:00Z"
END, NEXT = "2027-02-28T10:00:00Z", "2027-03-28T10:00:00Z"
PATH = "/v1/subscriptions"
_keys = (f"call-{number}" for number in itertools.count(1))


@pytest.fixture(autouse=True)
def verified(api, backend):
    """Each of these stories ends with all that is due being noted, and nothing twice."""
    yield
    assert faults(backend, api.tenant) == []


@pytest.fixture
def metric(api, clock):
    """The metric of all plans, of a customer; the clock is at the start."""
    clock(START)
    api.customer()
    return api.metric()["id"]


def plan_of(api, metric, unit_price, **fields):
    price = {"metric_id": metric, "model": "flat_unit", "unit_price": unit_price}
    return api.plan(price, **fields)["id"]


def ask(api, subscription, **body):
    return api.patch(f"{PATH}/{subscription['id']}", json=body)


def change(api, subscription, **body):
    answer = ask(api, subscription, **body)
    assert answer.status_code == 200, answer.text
    return answer.json()["subscription"]


def schedule(api, subscription, plan_id):
    return change(api, subscription, plan_id=plan_id, apply_at="period_end")


def read(api, subscription):
    return api.get(f"{PATH}/{subscription['id']}").json()["subscription"]


def scheduled(subscription):
    return (subscription["scheduled_plan_id"], subscription["scheduled_at"])


def call(api, count=1):
    api.ingest(*(event(next(_keys)) for _ in range(count)))


def bills(api):
    invoices = api.get("/v1/invoices").json()["invoices"]
    return [
        (item["kind"], item["status"], item["period_start"][:10], item["total"])
        for item in sorted(invoices, key=lambda item: (item["period_start"], item["created_at"]))
    ]


def timeline_events(api, subscription):
    timeline = api.get(f"{PATH}/{subscription['id']}/timeline").json()["timeline"]
    return [(entry["event"], entry["happened_at"]) for entry in timeline]


def test_it_comes_as_the_period_ends_and_cuts_nothing(api, clock, metric):
    first, second = plan_of(api, metric, "2"), plan_of(api, metric, "5", billing_period="weekly")
    subscription = api.subscribe("c1", first)
    clock(MIDDLE)
    planned = schedule(api, subscription, second)
    call(api)
    waiting = bills(api)
    clock(END)
    changed = read(api, subscription)
    call(api)
    clock("2027-03-07T10:00:00Z")

    assert (planned["plan_id"], scheduled(planned)) == (first, (second, END))
    assert (planned["current_period_end"], waiting) == (END, [])
    assert (changed["plan_id"], scheduled(changed)) == (second, (None, None))
    assert changed["current_period_end"] == "2027-03-07T10:00:00Z"
    assert bills(api) == [
        ("closing", "finalized", "2027-01-31", "2.000000"),
        ("closing", "finalized", "2027-02-28", "5.000000"),
    ]
    assert timeline_events(api, subscription) == [
        ("created", START),
        ("plan_change_scheduled", MIDDLE),
        ("plan_changed", END),
    ]


def test_null_takes_it_back(api, clock, metric):
    first, second = plan_of(api, metric, "2"), plan_of(api, metric, "5")
    subscription = api.subscribe("c1", first)
    schedule(api, subscription, second)

    taken_back = schedule(api, subscription, None)
    again = schedule(api, subscription, None)
    clock(END)

    assert scheduled(taken_back) == scheduled(again) == (None, None)
    assert read(api, subscription)["plan_id"] == first
    assert [name for name, _ in timeline_events(api, subscription)] == [
        "created",
        "plan_change_scheduled",
        "plan_change_withdrawn",
    ]


def test_another_one_replaces_it(api, clock, metric):
    first, second, third = (plan_of(api, metric, price) for price in ("2", "5", "7"))
    subscription = api.subscribe("c1", first)
    schedule(api, subscription, second)

    replaced = schedule(api, subscription, third)
    clock(END)

    assert scheduled(replaced) == (third, END)
    assert read(api, subscription)["plan_id"] == third


def test_a_change_at_once_drops_it(api, clock, metric):
    first, second, third = (plan_of(api, metric, price) for price in ("2", "5", "7"))
    subscription = api.subscribe("c1", first)
    schedule(api, subscription, second)
    clock(MIDDLE)

    changed = change(api, subscription, plan_id=third, apply_at="now")
    clock(NEXT)

    assert scheduled(changed) == (None, None)
    assert read(api, subscription)["plan_id"] == third


def cancel(api, subscription):
    change(api, subscription, status="canceled")


def delete(api, subscription):
    assert api.delete(f"{PATH}/{subscription['id']}").status_code == 200


def flag(api, subscription):
    change(api, subscription, cancel_at_period_end=True)


@pytest.mark.parametrize("ending", [cancel, delete, flag, read])
def test_a_cancel_drops_it(api, backend, clock, metric, ending):
    first, second = plan_of(api, metric, "2"), plan_of(api, metric, "5")
    subscription = api.subscribe("c1", first, end_date=END)
    schedule(api, subscription, second)
    call(api)
    clock(MIDDLE)
    ending(api, subscription)
    clock(NEXT)

    (row,) = backend.sql(
        "SELECT status, plan_id, scheduled_plan_id FROM subscriptions WHERE org_id = $1",
        api.org_id,
    )
    assert (row["status"], str(row["plan_id"]), row["scheduled_plan_id"]) == (
        "canceled",
        first,
        None,
    )
    assert [total for *_, total in bills(api)] == ["2.000000"]
    assert api.delete(f"/v1/plans/{second}").status_code == 200


def test_it_keeps_its_plan_from_being_deleted_or_redefined(api, metric):
    first, second = plan_of(api, metric, "2"), plan_of(api, metric, "5")
    subscription = api.subscribe("c1", first)
    schedule(api, subscription, second)

    refused = api.delete(f"/v1/plans/{second}")
    redefined = api.put(f"/v1/plans/{second}", json={"billing_period": "weekly"})
    schedule(api, subscription, None)

    assert (refused.status_code, refused.json()["error"]) == (
        409,
        "subscriptions are to change to the plan",
    )
    assert redefined.status_code == 409
    assert api.delete(f"/v1/plans/{second}").status_code == 200


def test_the_prices_are_those_of_the_instant_of_the_change(api, clock, metric):
    first, second = plan_of(api, metric, "2"), plan_of(api, metric, "5")
    subscription = api.subscribe("c1", first)
    schedule(api, subscription, second)
    clock(MIDDLE)
    (price,) = api.get(f"/v1/plans/{second}").json()["plan"]["prices"]
    revised = {"id": price["id"], "metric_id": metric, "model": "flat_unit", "unit_price": "6"}
    api.put(f"/v1/plans/{second}", json={"apply_to": "new", "prices": [revised]})
    clock("2027-02-28T09:59:59Z")
    dearer = {**revised, "unit_price": "9"}
    api.put(f"/v1/plans/{second}", json={"apply_to": "next_period", "prices": [dearer]})
    clock("2027-03-01T00:00:00Z")
    dearest = {**revised, "unit_price": "11"}
    api.put(f"/v1/plans/{second}", json={"apply_to": "new", "prices": [dearest]})
    call(api)

    assert api.draft(subscription["id"])["total"] == "9.000000"


def test_a_fee_in_advance_at_the_boundary_is_the_new_plans(api, clock, metric):
    fees = {"base_fee_timing": "in_advance"}
    first = plan_of(api, metric, "2", base_fee="50", **fees)
    second = plan_of(api, metric, "5", base_fee="80", **fees)
    subscription = api.subscribe("c1", first)
    schedule(api, subscription, second)
    path = f"{PATH}/{subscription['id']}/upcoming-invoice"
    upcoming = api.get(path).json()["upcoming_invoice"]["total"]

    clock(NEXT)

    assert upcoming == "80.000000"
    assert bills(api) == [
        ("interim", "finalized", "2027-01-31", "50.000000"),
        ("closing", "finalized", "2027-01-31", "80.000000"),
        ("closing", "finalized", "2027-02-28", "80.000000"),
    ]


def test_in_a_trial_it_comes_as_the_trial_ends(api, clock, metric):
    first = plan_of(api, metric, "2", trial_period_days=14)
    second = plan_of(api, metric, "5", base_fee="80", base_fee_timing="in_advance")
    subscription = api.subscribe("c1", first)
    call(api)

    planned = schedule(api, subscription, second)
    clock("2027-02-14T10:00:00Z")
    call(api)

    assert scheduled(planned) == (second, "2027-02-14T10:00:00Z")
    assert read(api, subscription)["plan_id"] == second
    assert bills(api) == [("interim", "finalized", "2027-02-14", "80.000000")]
    assert api.draft(subscription["id"])["total"] == "5.000000"


def test_before_the_start_it_is_for_the_second_period(api, clock, metric):
    first, second = plan_of(api, metric, "2"), plan_of(api, metric, "5")
    subscription = api.subscribe("c1", first, start_date=MIDDLE)

    planned = schedule(api, subscription, second)
    clock("2027-03-10T10:00:00Z")

    assert scheduled(planned) == (second, "2027-03-10T10:00:00Z")
    assert read(api, subscription)["plan_id"] == second


@pytest.mark.parametrize("reason", ["merchant", "dunning"])
def test_in_a_pause_the_boundary_stays_the_boundary(api, backend, clock, metric, reason):
    first, second = plan_of(api, metric, "2"), plan_of(api, metric, "5")
    subscription = api.subscribe("c1", first)
    call(api)
    clock(MIDDLE)
    if reason == "merchant":
        change(api, subscription, status="paused")
        schedule(api, subscription, second)
    else:
        schedule(api, subscription, second)
        pause_for_dunning(api, backend, subscription)
    call(api)
    clock("2027-03-10T10:00:00Z")

    paused = read(api, subscription)

    assert (paused["plan_id"], paused["current_period_start"]) == (second, END)
    assert bills(api) == []


def test_after_such_a_pause_each_plan_bills_its_own_time(api, clock, metric):
    first, second = plan_of(api, metric, "2"), plan_of(api, metric, "5")
    subscription = api.subscribe("c1", first)
    call(api)
    clock(MIDDLE)
    schedule(api, subscription, second)
    change(api, subscription, status="paused")
    clock("2027-03-10T10:00:00Z")
    change(api, subscription, status="active")
    call(api)
    clock(NEXT)

    assert bills(api) == [
        ("closing", "finalized", "2027-01-31", "2.000000"),
        ("closing", "finalized", "2027-02-28", "5.000000"),
    ]


def test_late_events_of_the_grace_time_are_billed_by_the_plan_of_their_time(api, clock, metric):
    api.patch("/v1/organization", json={"event_ingestion_grace_period_hours": 24})
    first, second = plan_of(api, metric, "2"), plan_of(api, metric, "5")
    subscription = api.subscribe("c1", first)
    schedule(api, subscription, second)
    clock("2027-02-28T20:00:00Z")
    waiting = bills(api)
    changed = read(api, subscription)["plan_id"]
    api.ingest(event("late", timestamp="2027-02-28T09:00:00Z"))
    call(api)

    clock("2027-03-29T20:00:00Z")

    assert (changed, waiting) == (second, [("closing", "draft", "2027-01-31", "0.000000")])
    assert bills(api) == [
        ("closing", "finalized", "2027-01-31", "2.000000"),
        ("closing", "finalized", "2027-02-28", "5.000000"),
    ]


def test_a_boundary_within_the_grace_time_of_a_period_before_is_kept(api, clock, metric):
    api.patch("/v1/organization", json={"event_ingestion_grace_period_hours": 72})
    first = plan_of(api, metric, "2", billing_period="daily")
    second = plan_of(api, metric, "5", billing_period="daily")
    subscription = api.subscribe("c1", first)
    clock("2027-02-01T12:00:00Z")
    planned = schedule(api, subscription, second)

    clock("2027-02-02T00:00:00Z")

    assert scheduled(planned) == (second, "2027-02-02T00:00:00Z")
    assert read(api, subscription)["plan_id"] == second


def test_a_prepaid_plan_is_paid_before_the_next_begins(api, clock, metric):
    wallet = api.wallet("c1", funds="1")
    first = plan_of(api, metric, "2", billing_mode="prepaid")
    subscription = api.subscribe("c1", first)
    schedule(api, subscription, plan_of(api, metric, "5", billing_mode="prepaid"))
    call(api)
    clock("2027-03-01T00:00:00Z")
    short = read(api, subscription)["status"]
    api.move(wallet, "credit", "100", "deposit")
    clock("2027-03-02T00:00:00Z")
    call(api)

    clock(NEXT)

    assert short == "paused"
    assert bills(api) == [
        ("closing", "paid", "2027-01-31", "2.000000"),
        ("closing", "paid", "2027-02-28", "5.000000"),
    ]


def test_a_realtime_plan_is_charged_from_the_boundary_on(api, backend, clock, metric):
    wallet = api.wallet("c1", funds="100")
    subscription = api.subscribe("c1", plan_of(api, metric, "2"))
    schedule(api, subscription, plan_of(api, metric, "5", billing_mode="realtime"))
    call(api)
    clock("2027-03-01T00:00:00Z")
    call(api)
    backend.run(metering.fold_all(backend.services.database))
    do(api, invoicing.CHARGE)
    running = api.get(f"/v1/wallets/{wallet['id']}").json()["wallet"]["balance"]

    clock(NEXT)

    assert running == "95.000000"
    assert bills(api) == [
        ("closing", "finalized", "2027-01-31", "2.000000"),
        ("closing", "paid", "2027-02-28", "5.000000"),
    ]


def test_a_payout_plan_changes_with_its_bill(api, clock, metric):
    first = plan_of(api, metric, "2", plan_type="payout")
    subscription = api.subscribe("c1", first)
    schedule(api, subscription, plan_of(api, metric, "5", plan_type="payout"))
    call(api)
    clock(END)
    call(api)
    clock(NEXT)

    listed = api.get("/v1/bills").json()["bills"]
    assert [bill["total"] for bill in listed] == ["5.000000", "2.000000"]


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        ({"plan_id": "$same"}, 409, []),
        ({"plan_id": "$usd"}, 409, []),
        ({"plan_id": "$payout"}, 409, []),
        ({"plan_id": "$weekly"}, 400, ["plan_id"]),
        ({"plan_id": "no-uuid"}, 400, ["plan_id"]),
        ({"plan_id": "0197b3c0-0000-7000-8000-000000000000"}, 404, ["plan_id"]),
        ({"plan_id": "$other", "status": "paused"}, 400, ["plan_id", "status"]),
        ({"plan_id": None, "status": "paused"}, 400, ["status"]),
        ({"status": "paused"}, 400, ["apply_at"]),
        ({}, 400, ["status"]),
        ({"plan_id": "$other", "apply_at": "tomorrow"}, 400, ["apply_at"]),
    ],
)
def test_a_bad_one_is_refused_and_changes_nothing(api, metric, body, status, fields):
    plans = {
        "$same": plan_of(api, metric, "2"),
        "$other": plan_of(api, metric, "5"),
        "$usd": plan_of(api, metric, "5", currency="USD"),
        "$payout": plan_of(api, metric, "5", plan_type="payout"),
        "$weekly": plan_of(api, metric, "5", billing_period="weekly"),
    }
    subscription = api.subscribe("c1", plans["$same"], billing_anchor="month_start")
    before = read(api, subscription)
    sent = {name: plans.get(value, value) for name, value in body.items()}

    refused = ask(api, subscription, **{"apply_at": "period_end", **sent})

    assert refused.status_code == status, refused.text
    assert sorted(refused.json().get("details", {})) == fields
    assert read(api, subscription) == before


def test_one_that_has_ended_changes_no_more(api, metric):
    subscription = api.subscribe("c1", plan_of(api, metric, "2"))
    change(api, subscription, status="canceled")
    other = plan_of(api, metric, "5")

    assert ask(api, subscription, plan_id=other, apply_at="period_end").status_code == 409


def test_a_change_that_no_worker_made_in_time_has_come_before_the_next(api, backend):
    api.customer()
    metric = api.metric()["id"]
    first, second, third = (plan_of(api, metric, price) for price in ("2", "5", "7"))
    subscription = api.subscribe("c1", first)
    planned = schedule(api, subscription, second)
    api.backend.clock.advance(days=40)

    change(api, subscription, plan_id=third)

    rows = backend.sql(
        "SELECT plan_id, started_at FROM subscription_phases WHERE org_id = $1 ORDER BY 2",
        api.org_id,
    )
    assert [str(row["plan_id"]) for row in rows] == [first, second]
    assert format_instant(rows[1]["started_at"]) == planned["scheduled_at"]
    assert read(api, subscription)["plan_id"] == third
