"""A metric's filters against an oracle that knows JSON but no SQL, before and after folding."""

import itertools
import re
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monigo.infra import json
from support.api import Api, event
from support.metering import fold, trust_buckets

OPERATORS = ("=", "!=", "in", "not in", ">", ">=", "<", "<=", "exists")
COMPARED = {
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
}
MISSING = object()
_names = (f"filtered-{number}" for number in itertools.count(1))

scalars = st.sampled_from(
    [
        *(True, False, 0, 1, 2, -1, Decimal("1.0"), Decimal("1.50"), Decimal("2E+1"), 20),
        *("", "a", "b", "1", "1.0", "01", "true", "null", " 1", "1e1", "٣", "2"),
        *(Decimal("1.00000000000000004"), "1.00000000000000004", "1.00000000000000005"),
    ]
)
values = scalars | st.sampled_from([None, [], [1], ["a"], {}, {"a": 1}])
numbers = st.sampled_from(
    [0, 1, Decimal("1.5"), 20, "1", "1.0", "-1", "01", Decimal("-0.0"), "1.00000000000000004"]
)
properties = st.dictionaries(st.sampled_from(["p", "q", "p.q"]), values)
operands = {
    "=": scalars,
    "!=": scalars,
    "in": st.lists(scalars, min_size=1, max_size=3),
    "not in": st.lists(scalars, min_size=1, max_size=3),
    **dict.fromkeys(COMPARED, numbers),
    "exists": st.none(),
}


def conditions(operator):
    return st.builds(
        lambda name, value: {"property": name, "operator": operator, "value": value},
        st.sampled_from(["p", "q", "p.q"]),
        operands[operator],
    )


# One metric for each operator, and one that wants two things at once.
filter_lists = st.tuples(
    *(st.tuples(conditions(operator)) for operator in OPERATORS),
    st.tuples(*(st.sampled_from(OPERATORS).flatmap(conditions) for _ in range(2))),
)


def same(left, right):
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | Decimal) and isinstance(right, int | Decimal):
        return left == right
    return isinstance(left, str) and isinstance(right, str) and left == right


def number(value):
    if isinstance(value, str):
        plain = re.fullmatch(r"-?\d{1,18}(\.\d+)?", value, re.ASCII)
        return Decimal(value) if plain else None
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return Decimal(value) if is_number else None


def passes(event_properties, condition):
    value = event_properties.get(condition["property"], MISSING)
    operand = condition["value"]
    match condition["operator"]:
        case "exists":
            return value is not MISSING
        case "=":
            return same(value, operand)
        case "!=":
            return not same(value, operand)
        case "in":
            return any(same(value, choice) for choice in operand)
        case "not in":
            return not any(same(value, choice) for choice in operand)
        case operator:
            left = number(value)
            return left is not None and COMPARED[operator](left, number(operand))


def counted(api, customer_id):
    rollups = api.get("/v1/usage", params={"customer_id": customer_id}).json()["rollups"]
    return {rollup["metric_id"]: rollup["value"] for rollup in rollups}


@pytest.fixture(scope="module")
def merchant(backend):
    with Api.of_new_organization(backend) as client:
        yield client


@settings(max_examples=30)
@given(sent=st.lists(properties, min_size=1, max_size=12), filters=filter_lists)
def test_a_filter_counts_what_the_oracle_counts_folded_or_not(merchant, sent, filters):
    name = next(_names)
    customer = merchant.customer(name)
    bodies = [{"name": name, "event_name": name, "filters": list(item)} for item in filters]
    metrics = [
        merchant.post("/v1/metrics", content=json.encode(body)).json()["metric"]["id"]
        for body in bodies
    ]
    trust_buckets(merchant, metrics)
    events = [
        event(f"{name}-{at}", name, name=name, properties=item) for at, item in enumerate(sent)
    ]
    merchant.post("/v1/ingest", content=json.encode({"events": events})).raise_for_status()

    unfolded = counted(merchant, customer["id"])
    fold(merchant)
    folded = counted(merchant, customer["id"])

    expected = {
        metric: sum(all(passes(item, condition) for condition in wanted) for item in sent)
        for metric, wanted in zip(metrics, filters, strict=True)
    }
    assert unfolded == folded == {metric: count for metric, count in expected.items() if count}
    for metric in metrics:
        merchant.delete(f"/v1/metrics/{metric}")


def test_filters_and_grouping_come_back_as_they_were_sent(api):
    filters = [
        {"property": "model", "operator": "in", "value": ["gpt-4", 4, True]},
        {"property": "n", "operator": ">=", "value": "1.5"},
        {"property": "n", "operator": "exists", "value": None},
    ]

    created = api.metric("m", filters=filters, group_by="model")
    unchanged = api.put(f"/v1/metrics/{created['id']}", json={"name": "n", "filters": None})
    cleared = api.put(f"/v1/metrics/{created['id']}", json={"filters": [], "group_by": ""})

    assert (created["filters"], created["group_by"]) == (filters, "model")
    assert unchanged.json()["metric"]["filters"] == filters
    assert (cleared.json()["metric"]["filters"], cleared.json()["metric"]["group_by"]) == ([], "")


def test_a_filter_on_true_is_not_one_on_one(api):
    api.customer()
    metric = api.metric("m", filters=[{"property": "p", "operator": "=", "value": 1}])
    trust_buckets(api, [metric["id"]])
    api.ingest(event("1", name="m", properties={"p": 1}), event("2", name="m"))
    fold(api)

    filters = [{"property": "p", "operator": "=", "value": True}]
    changed = api.put(f"/v1/metrics/{metric['id']}", json={"filters": filters})

    assert changed.json()["metric"]["filters"] == filters
    assert api.get("/v1/usage").json()["rollups"] == []


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        ({"operator": "=", "value": 1}, "filters[0].property"),
        ({"property": "", "operator": "=", "value": 1}, "filters[0].property"),
        ({"property": "p", "value": 1}, "filters[0].operator"),
        ({"property": "p", "operator": "==", "value": 1}, "filters[0].operator"),
        ({"property": "p", "operator": "LIKE", "value": "a"}, "filters[0].operator"),
        ({"property": "p", "operator": "="}, "filters[0].value"),
        ({"property": "p", "operator": "=", "value": []}, "filters[0].value"),
        ({"property": "p", "operator": "!=", "value": {}}, "filters[0].value"),
        ({"property": "p", "operator": "=", "value": "x" * 256}, "filters[0].value"),
        ({"property": "p", "operator": "=", "value": "a\0b"}, "filters[0].value"),
        ({"property": "p", "operator": "in", "value": "a"}, "filters[0].value"),
        ({"property": "p", "operator": "in", "value": []}, "filters[0].value"),
        ({"property": "p", "operator": "not in", "value": ["a"] * 101}, "filters[0].value"),
        ({"property": "p", "operator": "in", "value": ["a", None]}, "filters[0].value[1]"),
        ({"property": "p", "operator": ">", "value": "ten"}, "filters[0].value"),
        ({"property": "p", "operator": "<=", "value": True}, "filters[0].value"),
        ({"property": "p", "operator": "exists", "value": True}, "filters[0].value"),
    ],
)
def test_a_bad_filter_is_refused_and_named(api, condition, field):
    body = {"name": "m", "event_name": "m", "filters": [condition]}

    created = api.post("/v1/metrics", json=body)

    assert (created.status_code, list(created.json()["details"])) == (400, [field])


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"filters": [{"property": "p", "operator": "exists"}] * 21}, "filters"),
        ({"filters": {}}, "filters"),
        ({"filters": ["p = 1"]}, "filters[0]"),
        ({"group_by": 1}, "group_by"),
        ({"group_by": "p", "aggregation": "max", "aggregation_property": "n"}, "group_by"),
    ],
)
def test_what_is_no_list_of_filters_or_no_grouping_is_refused(api, fields, fault):
    metric = api.metric("m")

    updated = api.put(f"/v1/metrics/{metric['id']}", json=fields)

    assert (updated.status_code, list(updated.json()["details"])) == (400, [fault])
