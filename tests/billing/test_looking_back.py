"""What changed in closed periods since they were last looked at is billed, and nothing else is."""

import pytest

from monigo import invoicing
from support.agenda import do
from support.api import event
from support.jobs import run_replay
from support.metering import fold
from support.verification import faults

START = "2027-01-01T00:00:00Z"
ALL = {"from": "2027-01-01T00:00:00Z", "to": "2027-02-01T00:00:00Z"}
IN_FEBRUARY = {"from": "2027-02-01T00:00:00Z", "to": "2027-03-01T00:00:00Z"}
SUMMED = {"aggregation": "sum", "aggregation_property": "n"}


@pytest.fixture(autouse=True)
def verified(api, backend):
    """Each of these stories ends with invoices that `verify` finds nothing in."""
    yield
    assert faults(backend, api.tenant) == []


def subscribed(api, *, metric=(), start_date=START, **plan):
    """A customer on a plan at 1 for each call, from the start of January on."""
    api.customer()
    measured = api.metric(**dict(metric))
    price = {"metric_id": measured["id"], "model": "flat_unit", "unit_price": "1"}
    return measured, api.subscribe("c1", api.plan(price, **plan)["id"], start_date=start_date)


def subtotals(api):
    made = api.get("/v1/invoices").json()["invoices"]
    known = sorted(made, key=lambda one: (one["period_start"], one["created_at"]))
    return [one["subtotal"].removesuffix(".000000") for one in known]


def balance(api, wallet):
    return api.get(f"/v1/wallets/{wallet['id']}").json()["wallet"]["balance"]


def replay(api, span, event_name=None):
    body = span if event_name is None else {**span, "event_name": event_name}
    job = api.post("/v1/events/replay", json=body).json()["job"]
    run_replay(api, job["id"])


def edit(api, metric, **fields):
    answer = api.put(f"/v1/metrics/{metric['id']}", json=fields)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(("days", "billed"), [(None, ["0", "1"]), (100, ["0", "0"])])
def test_a_period_from_before_the_retention_is_not_looked_at_again(api, clock, days, billed):
    api.patch("/v1/organization", json={"raw_event_retention_days": days})
    clock(START)
    subscribed(api, billing_period="quarterly")
    clock("2027-04-15T00:00:00Z")
    api.ingest(event("late", timestamp="2027-03-31T00:00:00Z"))

    clock("2027-07-01T00:00:00Z")

    assert subtotals(api) == billed


def test_what_a_voided_closing_carried_of_another_period_comes_again(api, clock):
    clock(START)
    subscribed(api)
    clock("2027-02-02T00:00:00Z")
    api.ingest(event("late", timestamp="2027-01-20T00:00:00Z"), event("february"))
    clock("2027-03-02T00:00:00Z")
    february = api.get("/v1/invoices").json()["invoices"][0]
    api.post(f"/v1/invoices/{february['id']}/void")

    clock("2027-04-01T00:00:00Z")

    march = api.get("/v1/invoices").json()["invoices"][0]
    assert subtotals(api) == ["0", "2", "1"]
    assert [line["period_start"] for line in march["line_items"]] == [
        "2027-03-01T00:00:00Z",
        "2027-01-01T00:00:00Z",
    ]


def test_what_is_voided_in_the_instant_of_the_closing_but_after_it_is_waived(api, clock):
    clock(START)
    _, subscription = subscribed(api)
    api.ingest(event("1"))
    interim = api.finalize(api.draft(subscription["id"])["id"])
    clock("2027-02-01T00:00:00Z")
    api.post(f"/v1/invoices/{interim['id']}/void")
    api.ingest(event("late", timestamp="2027-01-20T00:00:00Z"))

    clock("2027-03-01T00:00:00Z")

    assert subtotals(api) == ["1", "0", "1"]


def test_what_is_voided_before_the_closing_of_its_instant_is_billed_by_it(api, clock):
    api.patch("/v1/organization", json={"event_ingestion_grace_period_hours": 1})
    clock(START)
    _, subscription = subscribed(api)
    api.ingest(event("1"))
    interim = api.finalize(api.draft(subscription["id"])["id"])
    clock("2027-02-01T00:30:00Z")
    (draft,) = api.get("/v1/invoices?status=draft").json()["invoices"]
    api.post(f"/v1/invoices/{interim['id']}/void")
    api.finalize(draft["id"])
    api.ingest(event("late", timestamp="2027-01-20T00:00:00Z"))

    clock("2027-03-01T01:00:00Z")

    assert subtotals(api) == ["1", "1", "1"]


@pytest.mark.parametrize(
    ("names", "billed"),
    [
        (("", None), "0"),
        (("api_call", None), "0"),
        ((None, ""), "6"),
        ((None, "api_call"), "6"),
        (("", "api_call"), "6"),
        (("api_call", ""), "6"),
    ],
)
def test_a_closed_period_is_measured_by_the_metric_of_the_last_replay(api, clock, names, billed):
    before, after = names
    clock(START)
    metric, _ = subscribed(api)
    api.ingest(event("1", properties={"n": 7}))
    clock("2027-02-02T00:00:00Z")
    replayed(api, before)
    clock("2027-02-03T00:00:00Z")
    edit(api, metric, **SUMMED)
    clock("2027-02-04T00:00:00Z")
    replayed(api, after)

    clock("2027-03-01T00:00:00Z")

    assert subtotals(api) == ["1", billed]


def replayed(api, event_name):
    if event_name is not None:
        replay(api, ALL, event_name or None)


@pytest.mark.parametrize("name", ["", "api_call"])
@pytest.mark.parametrize(("replayed_first", "billed"), [(True, "0"), (False, "6")])
def test_an_edit_at_the_instant_of_a_replay_counts_only_if_it_came_before(
    api, clock, name, replayed_first, billed
):
    """A test clock stands still while one asks for both."""
    clock(START)
    metric, _ = subscribed(api)
    api.ingest(event("1", properties={"n": 7}))
    clock("2027-02-02T00:00:00Z")
    replayed(api, name if replayed_first else None)
    edit(api, metric, **SUMMED)
    replayed(api, None if replayed_first else name)

    clock("2027-03-01T00:00:00Z")

    assert subtotals(api) == ["1", billed]


def test_of_replays_at_one_instant_the_last_one_counts(api, clock):
    clock(START)
    metric, _ = subscribed(api)
    api.ingest(event("1", properties={"n": 7}))
    clock("2027-02-02T00:00:00Z")
    replayed(api, "api_call")
    edit(api, metric, **SUMMED)
    replayed(api, "")
    edit(api, metric, aggregation="max")

    clock("2027-03-01T00:00:00Z")
    api.ingest(event("2", properties={"n": 7}, timestamp="2027-01-20T00:00:00Z"))
    clock("2027-04-01T00:00:00Z")

    assert subtotals(api) == ["1", "6", "7"]


@pytest.mark.parametrize(
    ("instant", "billed"), [("2027-02-02T00:00:00Z", "0"), ("2027-02-04T00:00:00Z", "6")]
)
def test_a_replay_from_before_versions_were_kept_counts_by_its_instant(
    api, backend, clock, instant, billed
):
    clock(START)
    metric, _ = subscribed(api)
    api.ingest(event("1", properties={"n": 7}))
    clock("2027-02-03T00:00:00Z")
    edit(api, metric, **SUMMED)
    clock("2027-02-05T00:00:00Z")
    replayed(api, "")
    backend.sql(
        "UPDATE invoices SET remeasured = jsonb_build_object('', $2::text) WHERE org_id = $1",
        api.org_id,
        instant,
    )

    clock("2027-03-01T00:00:00Z")

    assert subtotals(api) == ["1", billed]


@pytest.mark.parametrize(
    ("late", "span", "adjusted"),
    [
        ("2027-01-09T00:00:00Z", IN_FEBRUARY, ["2027-01-01", "2027-02-01"]),
        ("2027-02-09T00:00:00Z", ALL, ["2027-01-01", "2027-02-01"]),
    ],
)
def test_a_late_event_and_a_replay_of_another_period_are_both_seen(
    api, clock, late, span, adjusted
):
    clock(START)
    metric, _ = subscribed(api)
    api.ingest(event("january", properties={"n": 7}))
    clock("2027-02-02T00:00:00Z")
    api.ingest(event("february", properties={"n": 7}))
    clock("2027-03-02T00:00:00Z")
    edit(api, metric, **SUMMED)
    replay(api, span)
    api.ingest(event("late", timestamp=late, properties={"n": 7}))

    clock("2027-04-01T00:00:00Z")

    march = api.get("/v1/invoices").json()["invoices"][0]
    assert [line["period_start"][:10] for line in march["line_items"][1:]] == adjusted


@pytest.mark.parametrize("late", ["2027-01-20T00:00:00Z", "2027-01-31T23:59:59Z"])
def test_what_was_stored_before_the_last_look_and_seen_after_it_is_billed(
    api, backend, clock, late
):
    clock(START)
    _, subscription = subscribed(api)
    clock("2027-02-02T00:00:00Z")
    api.ingest(event("late", timestamp=late))
    fold(api)
    # As if its transaction had begun a minute before that closing, and had ended after it.
    before = (
        "(SELECT late_usage_checked_at FROM subscriptions WHERE org_id = $1 AND id = $2)"
        " - interval '1 minute'"
    )
    for statement in (
        f"UPDATE late_usage SET last_received_at = {before} WHERE org_id = $1",
        f"UPDATE usage_events SET received_at = {before} WHERE org_id = $1",
    ):
        backend.sql(statement, api.org_id, subscription["id"])

    clock("2027-03-01T00:00:00Z")

    assert subtotals(api) == ["0", "1"]


def test_a_credit_is_taken_once_by_invoices_that_are_made_together(api, clock):
    clock(START)
    _, first = subscribed(api, metric=SUMMED)
    api.ingest(event("refund", properties={"n": -10}))
    clock("2027-01-10T00:00:00Z")
    api.patch(f"/v1/subscriptions/{first['id']}", json={"status": "canceled"})
    # It closes at the very instant of a daily look for what came late for the other.
    api.subscribe("c1", first["plan_id"], start_date="2027-01-10T00:00:00Z")
    clock("2027-02-09T12:00:00Z")
    api.ingest(
        event("late", properties={"n": 8}, timestamp="2027-01-09T00:00:00Z"),
        event("own", properties={"n": 8}, timestamp="2027-02-01T00:00:00Z"),
    )

    clock("2027-02-10T00:00:00Z")

    made = api.get("/v1/invoices").json()["invoices"]
    lines = [line for one in made for line in one["line_items"] if line["kind"] == "credit"]
    assert sorted(one["kind"] for one in made) == ["closing", "closing", "supplementary"]
    assert sorted(line["amount"] for line in lines) == ["-2.000000", "-8.000000", "10.000000"]
    assert sorted(one["subtotal"] for one in made) == ["0.000000", "0.000000", "6.000000"]


def test_a_minimum_is_charged_at_the_close_and_not_by_the_first_realtime_event(api, clock):
    clock(START)
    api.customer()
    price = {"metric_id": api.metric()["id"], "model": "flat_unit", "unit_price": "1"}
    plan = api.plan({**price, "minimum_amount": "500"}, billing_mode="realtime")
    api.subscribe("c1", plan["id"], start_date=START)
    wallet = api.wallet(funds="1000")
    api.ingest(event("1"))
    fold(api)
    do(api, invoicing.CHARGE)
    running = balance(api, wallet)

    clock("2027-02-01T00:00:00Z")

    assert (running, balance(api, wallet)) == ("999.000000", "500.000000")


def test_a_sum_that_no_invoice_can_hold_is_refused(api, clock):
    clock(START)
    metrics = [api.metric(name="a"), api.metric(name="b")]
    api.customer()
    dear = {"model": "flat_unit", "unit_price": "600000000000000000"}
    plan = api.plan(*[{"metric_id": metric["id"], **dear} for metric in metrics])
    subscription = api.subscribe("c1", plan["id"], start_date=START)
    api.ingest(event("1"))

    answer = api.post("/v1/invoices/generate", json={"subscription_id": subscription["id"]})

    assert (answer.status_code, answer.json()["error"]) == (
        409,
        "the subtotal exceeds what an invoice can hold",
    )
    assert api.get("/v1/invoices").json()["invoices"] == []


def test_a_replay_has_the_periods_that_it_touches_measured_anew_and_no_others(api, backend, clock):
    clock(START)
    subscribed(api)
    api.ingest(event("1"))
    clock("2027-04-02T00:00:00Z")

    replay(api, IN_FEBRUARY)

    rows = backend.sql(
        "SELECT extract(month FROM period_start)::integer AS month,"
        " remeasured::text <> '{}' AS anew"
        " FROM invoices WHERE org_id = $1 AND kind = 'closing' ORDER BY period_start",
        api.org_id,
    )
    assert [(row["month"], row["anew"]) for row in rows] == [(1, False), (2, True), (3, False)]


def test_a_credit_that_was_carried_forward_is_no_fee_that_was_billed(api, clock):
    clock(START)
    subscribed(api, metric=SUMMED, base_fee="100")
    api.ingest(event("refund", properties={"n": -300}))
    clock("2027-02-02T00:00:00Z")
    api.ingest(event("late", properties={"n": 50}, timestamp="2027-01-20T00:00:00Z"))

    clock("2027-03-01T00:00:00Z")

    february, january = api.get("/v1/invoices").json()["invoices"]
    lines = [
        [(line["kind"], line["amount"]) for line in one["line_items"]]
        for one in (january, february)
    ]
    assert sorted(lines[0]) == [
        ("credit", "200.000000"),
        ("fee", "100.000000"),
        ("usage", "-300.000000"),
    ]
    # Of January only the late usage differs; its fee is what it was.
    assert sorted(lines[1]) == [
        ("credit", "-150.000000"),
        ("fee", "100.000000"),
        ("usage", "0.000000"),
        ("usage", "50.000000"),
    ]
