"""Metrics: how events become quantities, redefined at any time, kept while in use."""

import pytest

from support.api import event


def usage(api, **query):
    rollups = api.get("/v1/usage", params=query).json()["rollups"]
    return [(rollup["value"], rollup["event_count"]) for rollup in rollups]


def measured(api, aggregation, values):
    """The usage of one event per value, sent as JSON numbers and strings are written."""
    api.customer()
    api.metric("m", aggregation=aggregation, aggregation_property="n")
    events = ", ".join(
        f'{{"event_name": "m", "customer_id": "c1", "idempotency_key": "{number}",'
        f' "properties": {properties}}}'
        for number, properties in enumerate(values)
    )
    sent = api.post("/v1/ingest", content=f'{{"events": [{events}]}}')
    assert sent.status_code == 202, sent.text
    return usage(api)


NUMBERS = ['{"n": 1}', '{"n": "2.5"}', '{"n": -4}', '{"n": 1}', '{"n": 1e1}', "{}", '{"n": "x"}']


@pytest.mark.parametrize(
    ("aggregation", "value"),
    [
        ("count", 7),
        ("sum", 10.5),
        ("max", 10),
        ("minimum", -4),
        ("average", 2.1),
        ("unique", 5),
    ],
)
def test_each_aggregation_of_the_same_events(api, aggregation, value):
    assert measured(api, aggregation, NUMBERS) == [(value, 7)]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("5", 5),
        ('"5"', 5),
        ('"-5.25"', -5.25),
        ('"007"', 7),
        ("1e3", 1_000),
        ("1.5E+2", 150),
        ("1e-3", 0.001),
        ("0e5", 0),
        ("1e17", 10**17),
        ("1e18", 0),
        ("1e-12", 1e-12),
        ("1e-13", 0),
        ("999999999999999999", 999_999_999_999_999_999),
        ("1000000000000000000", 0),
        ('"999999999999999999.999999999999"', 1e18),
        ("0.30000000000000004", 0.3),
        ('"0.30000000000000004"', 0.3),
        ("12.345678901234567", 12.345678901235),
        ("5e-13", 0),
        ('"0.0000000000005"', 0),
        ("0.0000000000015", 2e-12),
        ("0.0000000000025", 2e-12),
        ('"0.0000000000025"', 2e-12),
        ("-0.0000000000035", -4e-12),
        ("0.00000000000250000000001", 3e-12),
        (f'"0.0000000000025{"0" * 30_000}1"', 3e-12),
        (f'"0.0000000000025{"0" * 30_000}"', 2e-12),
        (f"0.0000000000025{'0' * 10_000}1", 3e-12),
        ("1.5000000000000000", 1.5),
        ("999999999999999999.9999999999994", 1e18),
        ("999999999999999999.9999999999995", 0),
        ('"999999999999999999.9999999999995"', 0),
        ('"-999999999999999999.9999999999995"', 0),
        ('"0000000000000000000"', 0),
        ('"1_000"', 0),
        ('" 12 "', 0),
        ('"12 "', 0),
        ('"12\\n"', 0),
        ('"+5"', 0),
        ('"1e3"', 0),
        ('"1,000"', 0),
        ('".5"', 0),
        ('"5."', 0),
        ('"0x10"', 0),
        ('"NaN"', 0),
        ('"Infinity"', 0),
        ('"٣"', 0),
        ('""', 0),
        ("null", 0),
        ("true", 0),
        ("[5]", 0),
        ('{"n": 5}', 0),
    ],
)
def test_a_number_is_a_json_number_or_a_string_of_plain_digits(api, written, value):
    assert measured(api, "sum", [f'{{"n": {written}}}']) == [(value, 1)]


@pytest.mark.parametrize(
    ("values", "distinct"),
    [
        (["1", "1"], 1),
        (["1", '"1"'], 2),
        (["1", "1.0", "1e0"], 1),
        (['"a"', '"A"', '"a "'], 3),
        (["true", '"true"', "false"], 3),
        (["null"], 0),
        (['"x"', "null"], 1),
        (['{"a": 1, "b": 2}', '{"b": 2, "a": 1}'], 1),
        (["[1]", "[1, 1]"], 2),
        (['"1_000"', '" 12 "'], 2),
    ],
)
def test_unique_counts_distinct_values_a_string_and_a_number_differ(api, values, distinct):
    events = [f'{{"n": {value}}}' for value in values]

    assert measured(api, "unique", events) == [(distinct, len(values))]


def test_an_event_without_the_property_is_no_distinct_value(api):
    assert measured(api, "unique", ["{}", "null", '{"n": 1}']) == [(1, 3)]


@pytest.mark.parametrize("aggregation", ["sum", "max", "minimum", "average"])
def test_events_without_any_number_make_zero(api, aggregation):
    assert measured(api, aggregation, ["{}", '{"n": "x"}']) == [(0, 2)]


def test_an_average_is_rounded_half_even_at_twelve_places(api):
    [(value, _)] = measured(api, "average", ['{"n": 1}', '{"n": 0}', '{"n": 1}'])

    assert value == 0.666666666667


def test_the_quantity_behind_an_invoice_is_exact(api):
    metric = api.metric("m", aggregation="sum", aggregation_property="n")
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"}
    subscription = api.subscribe(api.customer()["id"], api.plan(price)["id"])
    api.ingest(*[event(str(number), name="m", properties={"n": "0.1"}) for number in range(3)])

    line = api.draft(subscription["id"])["line_items"][0]

    assert (line["quantity"], line["amount"]) == ("0.3", "0.300000")


def test_a_new_metric_measures_what_was_sent_before(api):
    api.customer()
    api.ingest(event("1"), event("2"))

    api.metric()

    assert usage(api) == [(2, 2)]


def test_an_edited_metric_measures_the_running_period_anew(api):
    api.customer()
    metric = api.metric()
    api.ingest(event("1", properties={"n": 5}), event("2", properties={"n": 6}))
    before = usage(api)

    edited = api.put(
        f"/v1/metrics/{metric['id']}", json={"aggregation": "sum", "aggregation_property": "n"}
    ).json()["metric"]

    assert (edited["aggregation"], edited["name"]) == ("sum", metric["name"])
    assert (before, usage(api)) == ([(2, 2)], [(11, 2)])


def test_an_edit_may_not_leave_a_metric_that_means_nothing(api):
    metric = api.metric()

    refused = api.put(f"/v1/metrics/{metric['id']}", json={"aggregation": "max"})

    assert (refused.status_code, list(refused.json()["details"])) == (400, ["aggregation_property"])
    assert api.get(f"/v1/metrics/{metric['id']}").json()["metric"] == metric


def test_a_metric_in_use_is_not_deleted_until_no_live_plan_prices_it(api):
    *_, plan, subscription = api.subscribed_customer()
    metric_path = f"/v1/metrics/{plan['prices'][0]['metric_id']}"
    refused = api.delete(metric_path)
    api.delete(f"/v1/subscriptions/{subscription['id']}")
    api.delete(f"/v1/plans/{plan['id']}")

    deleted = api.delete(metric_path)

    assert (refused.status_code, plan["name"] in refused.json()["error"]) == (409, True)
    assert deleted.status_code == 200
    assert api.get(metric_path).status_code == 404


def test_metrics_are_listed_newest_first_and_deleted_ones_not(api):
    first, deleted, third = [api.metric() for _ in range(3)]
    api.delete(f"/v1/metrics/{deleted['id']}")

    listed = api.get("/v1/metrics").json()

    assert [metric["id"] for metric in listed["metrics"]] == [third["id"], first["id"]]
    assert (listed["count"], listed["total"], listed["has_more"]) == (2, 2, False)


def test_a_metric_whose_price_was_removed_can_be_deleted(api):
    _, metric, plan, _ = api.subscribed_customer()
    api.put(f"/v1/plans/{plan['id']}", json={"prices": []})

    assert api.delete(f"/v1/metrics/{metric['id']}").status_code == 200


def test_a_deleted_metric_is_priced_no_more(api):
    metric = api.metric()
    api.delete(f"/v1/metrics/{metric['id']}")
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"}

    refused = api.post("/v1/plans", json={"name": "P", "prices": [price]})

    assert (refused.status_code, list(refused.json()["details"])) == (
        404,
        ["prices[0].metric_id"],
    )


def test_two_metrics_may_measure_the_same_events(api):
    api.customer()
    api.metric()
    api.metric("api_call", aggregation="unique", aggregation_property="user")
    api.ingest(event("1", properties={"user": "a"}), event("2", properties={"user": "a"}))

    assert sorted(usage(api)) == [(1, 2), (2, 2)]
