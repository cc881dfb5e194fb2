"""Numbers of events, rounded alike on every way to usage, and events that hold none."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest

from monigo.core.periods import Period
from support.api import event
from support.metering import differences, fold, measured, replayed, trust_buckets

# A midnight, UTC; events lie in hours of three days from there on.
BASE = datetime(2026, 6, 8, tzinfo=UTC)
HOURS = (0, 5, 23, 26, 31, 50)
# Half an hour before the first event and after the last, so that hours at both ends are broken.
WHOLE = Period(BASE - timedelta(minutes=30), BASE + timedelta(hours=50, minutes=30))

# As sent, and what they count as.
FLOATS = {
    "0.30000000000000004": "0.3",
    "12.345678901234567": "12.345678901235",
    "0.0000000000005": "0",
    '"0.0000000000025"': "0.000000000002",
    "1.00000000000000000001": "1",
    '"0.0000000000015"': "0.000000000002",
}
OF_FLOATS = {
    "count": "6",
    "sum": "13.645678901239",
    "max": "12.345678901235",
    "minimum": "0",
    # A sixth of the sum.
    "average": "2.274279816873",
    "unique": "6",
}
NO_NUMBERS = ('"abc"', "null", "1e30", '"1_000"', '" 12 "')


def send(api, values):
    """Events of these values, as JSON writes them; one without its property for an empty text."""
    texts = [f'{{"n": {value}}}' if value else "{}" for value in values]
    events = ", ".join(
        f'{{"event_name": "api_call", "customer_id": "c1", "idempotency_key": "{hour}",'
        f' "timestamp": "{(BASE + timedelta(hours=hour)).isoformat()}",'
        f' "properties": {text}}}'
        for hour, text in zip(HOURS, texts, strict=False)
    )
    sent = api.post("/v1/ingest", content=f'{{"events": [{events}]}}')
    assert sent.status_code == 202, sent.text


def told(api, customer, metric, *, raw=False):
    windows = ((), (WHOLE,)) if raw else ((WHOLE,), ())
    (usage,) = measured(api, [(UUID(customer["id"]), metric, *windows)])
    return usage.quantity, usage.event_count, usage.uncounted_events


def ways(api, customer, metric):
    """The same usage from buckets not there yet, from hours and days, from events, and replayed."""
    waiting = told(api, customer, metric)
    fold(api)
    folded = told(api, customer, metric)
    events = told(api, customer, metric, raw=True)
    api.backend.sql(
        "UPDATE usage_hours SET number_count = 0, number_sum = 77 WHERE org_id = $1", api.org_id
    )
    job = replayed(api, BASE.isoformat(), (BASE + timedelta(days=4)).isoformat())
    assert job["status"] == "completed"
    assert differences(api) == []
    return {waiting, folded, events, told(api, customer, metric)}


@pytest.fixture
def customer(api):
    return api.customer()


@pytest.mark.parametrize("aggregation", OF_FLOATS)
def test_floats_count_rounded_alike_on_every_way(api, customer, aggregation):
    metric = api.metric(aggregation=aggregation, aggregation_property="n")
    trust_buckets(api, [metric["id"]])
    send(api, FLOATS)

    found = ways(api, customer, metric)

    assert found == {(Decimal(OF_FLOATS[aggregation]), 6, 0)}


@pytest.mark.parametrize("is_folded", [False, True])
def test_a_series_counts_floats_as_usage_does(api, customer, is_folded):
    metric = api.metric(aggregation="sum", aggregation_property="n")
    trust_buckets(api, [metric["id"]])
    send(api, FLOATS)
    if is_folded:
        fold(api)

    span = {"from": WHOLE.start.isoformat(), "to": WHOLE.end.isoformat(), "granularity": "month"}
    query = {"metric_id": metric["id"], "customer_id": customer["id"], **span}
    series = api.get("/v1/usage/series", params=query).json()

    assert [point["value"] for point in series["points"]] == [13.645678901239]


def test_a_dry_run_counts_floats_as_the_fold_does(api, customer):
    metric = api.metric(aggregation="sum", aggregation_property="n")
    trust_buckets(api, [metric["id"]])
    send(api, FLOATS)
    fold(api)
    window = BASE.isoformat(), (BASE + timedelta(days=4)).isoformat()

    right = replayed(api, *window, dry_run=True)["report"]
    api.backend.sql("UPDATE usage_hours SET number_sum = 0 WHERE org_id = $1", api.org_id)
    wrong = replayed(api, *window, dry_run=True)["report"]

    assert right["rows"] == []
    (row,) = wrong["rows"]
    assert (row["usage_before"], row["usage_after"]) == ("0", "13.645678901239")
    assert row["customer_id"] == customer["id"]


@pytest.mark.parametrize(
    ("aggregation", "quantity", "uncounted"),
    [
        *(("count", 6, 0), ("unique", 5, 0)),
        *(("sum", 7, 5), ("max", 7, 5), ("minimum", 7, 5), ("average", 7, 5)),
    ],
)
def test_what_is_no_number_is_told_alike_on_every_way(
    api, customer, aggregation, quantity, uncounted
):
    metric = api.metric(aggregation=aggregation, aggregation_property="n")
    trust_buckets(api, [metric["id"]])
    send(api, (*NO_NUMBERS, 7))

    assert ways(api, customer, metric) == {(quantity, 6, uncounted)}


def test_a_number_has_18_digits_before_its_point_at_most(api, customer):
    metric = api.metric(aggregation="sum", aggregation_property="n")
    trust_buckets(api, [metric["id"]])
    largest = 10**18 - 1
    send(api, (f'"{largest}"', f"{largest}", f'"{largest + 1}"', f"{largest + 1}", f'"-{10**18}"'))

    assert ways(api, customer, metric) == {(2 * largest, 5, 3)}


def test_a_missing_property_and_values_apart_are_uncounted_too(api, customer):
    metric = api.metric(aggregation="sum", aggregation_property="n", group_by="n")
    trust_buckets(api, [metric["id"]])
    send(api, ("", '"NaN"', "true", "2", "[3]", "2"))

    assert ways(api, customer, metric) == {(4, 6, 4)}


def test_distinct_values_groups_and_filters_take_a_number_as_it_was_sent(api, customer):
    unique = api.metric(aggregation="unique", aggregation_property="n")
    grouped = api.metric(group_by="n")
    above = {"property": "n", "operator": ">", "value": 0.3}
    filtered = api.metric(aggregation="sum", aggregation_property="n", filters=[above])
    trust_buckets(api, [unique["id"], grouped["id"], filtered["id"]])
    send(api, ("0.30000000000000004", "0.30000000000000003", "0.3", '"0.30000000000000005"'))

    counts = [told(api, customer, metric) for metric in (unique, grouped, filtered)]
    (usage,) = measured(api, [(UUID(customer["id"]), grouped, (WHOLE,), ())])

    assert counts == [(4, 4, 0), (4, 4, 0), (Decimal("0.9"), 3, 0)]
    assert len(usage.groups) == 4


def test_a_filters_bound_may_have_more_decimals_and_is_kept_within_what_can_be_stored(api):
    def define(value):
        condition = {"property": "n", "operator": ">", "value": value}
        body = {"name": "m", "event_name": "m", "aggregation": "count", "filters": [condition]}
        return api.post("/v1/metrics", json=body)

    answers = [define(value) for value in (0.30000000000000004, "1." + "0" * 253, "1." + "0" * 254)]

    assert [answer.status_code for answer in answers] == [201, 201, 400]
    assert list(answers[-1].json()["details"]) == ["filters[0].value"]


@pytest.mark.parametrize("is_folded", [False, True])
def test_values_apart_are_told_by_up_to_255_characters(api, customer, is_folded):
    metric = api.metric(group_by="n")
    trust_buckets(api, [metric["id"]])
    values = ["x" * 100 + "a", "x" * 100 + "b", "x" * 254 + "c", "x" * 255 + "d", "x" * 255 + "e"]
    send(api, [f'"{value}"' for value in values])
    if is_folded:
        fold(api)

    (usage,) = measured(api, [(UUID(customer["id"]), metric, (WHOLE,), ())])

    assert usage.groups == {
        **dict.fromkeys(values[:3], 1),
        "x" * 255: 2,
    }


def test_usage_lines_and_explanations_tell_what_was_not_counted(api, customer):
    metric = api.metric(aggregation="sum", aggregation_property="n")
    calls = api.metric(name="calls")
    prices = [
        {"metric_id": known["id"], "model": "flat_unit", "unit_price": "2"}
        for known in (metric, calls)
    ]
    start = BASE.isoformat()
    subscription = api.subscribe(customer["id"], api.plan(*prices)["id"], start_date=start)
    send(api, (*NO_NUMBERS, 7))

    rollups = api.get("/v1/usage", params={"customer_id": "c1"}).json()["rollups"]
    upcoming = api.get(f"/v1/subscriptions/{subscription['id']}/upcoming-invoice").json()
    draft = api.draft(subscription["id"])
    final = api.finalize(draft["id"])
    explained = api.get(f"/v1/invoices/{final['id']}/explain").json()["explanation"]

    by_metric = {rollup["metric_id"]: rollup["uncounted_events"] for rollup in rollups}
    assert by_metric == {metric["id"]: 5, calls["id"]: 0}
    for lines in (
        upcoming["upcoming_invoice"]["line_items"],
        draft["line_items"],
        final["line_items"],
        explained["lines"],
    ):
        assert [(line["quantity"], line["uncounted_events"]) for line in lines] == [
            ("7", 5),
            ("6", 0),
        ]


def test_a_bill_tells_what_was_not_counted(api, customer):
    metric = api.metric(aggregation="max", aggregation_property="n")
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "2"}
    plan = api.plan(price, plan_type="payout")
    subscription = api.subscribe(customer["id"], plan["id"], start_date=BASE.isoformat())
    send(api, (*NO_NUMBERS, 7))

    bill = api.make("/v1/bills", {"subscription_id": subscription["id"]}, "bill")

    assert [line["uncounted_events"] for line in bill["line_items"]] == [5]


def test_a_line_cannot_leave_out_more_events_than_there_are(api):
    *_, subscription = api.subscribed_customer()
    draft = api.draft(subscription["id"])

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        api.backend.sql(
            "UPDATE invoice_line_items SET uncounted_events = event_count + 1"
            " WHERE invoice_id = $1 RETURNING 1",
            draft["id"],
        )

    assert refused.value.constraint_name == "invoice_line_items_uncounted_are_of_events"


def test_buckets_that_left_out_long_decimals_tell_so_until_a_replay_counts_them(api, customer):
    metric = api.metric(aggregation="sum", aggregation_property="n")
    trust_buckets(api, [metric["id"]])
    send(api, ("1", "0.30000000000000004"))
    fold(api)
    # As folding left them before it rounded.
    for table in ("usage_hours", "usage_days"):
        api.backend.sql(
            f"UPDATE {table} SET number_count = number_count - 1, number_sum = number_sum - 0.3"
            " WHERE org_id = $1 AND last_event_at = $2",
            *(api.org_id, BASE + timedelta(hours=5)),
        )

    before = told(api, customer, metric)
    found = differences(api)
    replayed(api, BASE.isoformat(), (BASE + timedelta(days=1)).isoformat())

    assert before == (1, 2, 1)
    assert [difference.what for difference in found] == ["bucket"]
    assert told(api, customer, metric) == (Decimal("1.3"), 2, 0)
    assert differences(api) == []


def test_a_sum_beyond_what_an_invoice_holds_is_read_and_names_what_is_too_much(api, customer):
    metric = api.metric(aggregation="sum", aggregation_property="n")
    trust_buckets(api, [metric["id"]])
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "0"}
    subscription = api.subscribe(customer["id"], api.plan(price)["id"], start_date=BASE.isoformat())
    send(api, ("1", "2"))
    fold(api)
    for table in ("usage_hours", "usage_days"):
        api.backend.sql(
            f"UPDATE {table} SET number_sum = 100000000000000000000000000 WHERE org_id = $1",
            api.org_id,
        )

    (rollup,) = api.get("/v1/usage").json()["rollups"]
    more = api.ingest(event("more", properties={"n": 1}))
    fold(api)
    generated = api.post("/v1/invoices/generate", json={"subscription_id": subscription["id"]})

    assert rollup["value"] == 10**26
    assert more["ingested"] == ["more"]
    assert (generated.status_code, generated.json()["error"]) == (
        409,
        "api_call exceeds what an invoice can hold",
    )
