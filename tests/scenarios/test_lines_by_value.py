"""A metric that groups: one price, one line for each value, never a unit billed twice."""

from decimal import Decimal

from support.api import event

GRADUATED = {
    "model": "graduated",
    "tiers": [{"up_to": 100, "unit_amount": "2"}, {"up_to": None, "unit_amount": "1"}],
}


def subscribed(api, price=None, **fields):
    """A customer whose tokens are priced, and told for each model."""
    metric = api.metric(
        "call", name="Tokens", aggregation="sum", aggregation_property="n", group_by="model"
    )
    price = {"metric_id": metric["id"], **(price or GRADUATED)}
    plan = api.plan(price, **fields)
    return metric, plan, api.subscribe(api.customer()["id"], plan["id"])


def call(key, tokens, model=None):
    model = {} if model is None else {"model": model}
    return event(key, name="call", properties={"n": tokens, **model})


def told(invoice):
    return [
        (line["description"], line["group_value"], line["quantity"], line["amount"])
        for line in invoice["line_items"]
    ]


def test_one_price_has_a_line_for_each_value_that_add_up(api):
    *_, subscription = subscribed(api)
    api.ingest(call("1", 90, "gpt-4"), call("2", 50, "llama"), call("3", 10))

    invoice = api.finalize(api.draft(subscription["id"])["id"])

    assert told(invoice) == [
        ("Tokens (gpt-4)", "gpt-4", "90", "150.000001"),
        ("Tokens (llama)", "llama", "50", "83.333333"),
        ("Tokens", "", "10", "16.666666"),
    ]
    # The largest takes what is left of the millionths.
    assert invoice["total"] == "250.000000"


def test_a_second_invoice_of_the_period_bills_what_is_new_for_each_value(api):
    *_, subscription = subscribed(api)
    api.ingest(call("1", 100, "gpt-4"))
    first = api.finalize(api.draft(subscription["id"])["id"])
    api.ingest(call("2", 100, "llama"))

    second = api.finalize(api.draft(subscription["id"])["id"])

    assert told(first) == [("Tokens (gpt-4)", "gpt-4", "100", "200.000000")]
    # Half of 300 each: what gpt-4 has paid beyond its part comes back to it.
    assert told(second) == [
        ("Tokens (gpt-4)", "gpt-4", "0", "-50.000000"),
        ("Tokens (llama)", "llama", "100", "150.000000"),
    ]
    assert second["total"] == "100.000000"


def test_voided_lines_fall_due_again_under_their_values(api):
    *_, subscription = subscribed(api, {"model": "flat_unit", "unit_price": "0.5"})
    api.ingest(call("1", 10, "gpt-4"), call("2", 4, "llama"))
    first = api.finalize(api.draft(subscription["id"])["id"])
    api.post(f"/v1/invoices/{first['id']}/void")

    second = api.finalize(api.draft(subscription["id"])["id"])

    assert told(second) == told(first)
    assert [line["amount"] for line in second["line_items"]] == ["5.000000", "2.000000"]


def test_grouping_by_another_property_bills_nothing_twice(api):
    metric, _, subscription = subscribed(api, {"model": "flat_unit", "unit_price": "1"})
    api.ingest(call("1", 10, "gpt-4"))
    api.finalize(api.draft(subscription["id"])["id"])

    api.put(f"/v1/metrics/{metric['id']}", json={"group_by": ""})
    draft = api.draft(subscription["id"])

    assert told(draft) == [
        ("Tokens", "", "10", "10.000000"),
        ("Tokens (gpt-4)", "gpt-4", "-10", "-10.000000"),
    ]
    assert draft["total"] == "0.000000"


def test_a_removed_price_gives_back_what_it_billed_for_each_value(api):
    _, plan, subscription = subscribed(api, {"model": "flat_unit", "unit_price": "1"})
    api.ingest(call("1", 10, "gpt-4"), call("2", 4))
    api.finalize(api.draft(subscription["id"])["id"])

    api.put(f"/v1/plans/{plan['id']}", json={"prices": []})
    draft = api.draft(subscription["id"])

    assert sorted(told(draft)) == [
        ("Tokens", "", "-4", "-4.000000"),
        ("Tokens (gpt-4)", "gpt-4", "-10", "-10.000000"),
        ("credit carried forward", "", "1", "14.000000"),
    ]


def test_beyond_a_hundred_values_the_rest_is_one_line(api):
    *_, subscription = subscribed(api, {"model": "flat_unit", "unit_price": "1"})
    api.ingest(*[call(str(number), number, f"m{number:03}") for number in range(1, 131)])

    lines = api.draft(subscription["id"])["line_items"]

    amounts = {line["group_value"]: Decimal(line["amount"]) for line in lines}
    assert len(lines) == 101
    assert amounts["other"] == sum(range(1, 31))
    assert sum(amounts.values()) == sum(range(1, 131))


def test_a_metric_that_does_not_group_has_one_line_without_a_value(api):
    *_, subscription = api.subscribed_customer()
    api.ingest(event("1", properties={"model": "gpt-4"}), event("2", properties={"model": "x"}))

    draft = api.draft(subscription["id"])

    assert told(draft) == [("api_call", "", "2", "4.000000")]


def test_quantities_of_many_digits_are_billed_whole(api):
    *_, subscription = subscribed(api, {"model": "flat_unit", "unit_price": "0.000000000001"})
    most = "999999999999999999.999999999999"
    api.ingest(call("1", most, "gpt-4"), call("2", "0.000000000001", "llama"))

    invoice = api.draft(subscription["id"])

    assert told(invoice) == [
        ("Tokens (gpt-4)", "gpt-4", most, "1000000.000000"),
        ("Tokens (llama)", "llama", "0.000000000001", "0.000000"),
    ]
    assert invoice["total"] == "1000000.000000"
