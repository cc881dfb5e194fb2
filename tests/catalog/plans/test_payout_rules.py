"""Payout rules on plans: what is accepted, what is refused by which field, what an edit does."""

import pytest

from support.payout_rules import RIDE, paying_plan

FILTER = {"property": "city", "operator": "=", "value": "Lagos"}


def refused(answer, status=400):
    assert answer.status_code == status, answer.text
    return answer.json()["details" if status == 400 else "code"]


def post(api, *rules, **fields):
    body = {"name": "Pay", "plan_type": "payout", "payout_rules": list(rules), **fields}
    return api.post("/v1/plans", json=body)


def edit(api, plan, **body):
    return api.put(f"/v1/plans/{plan['id']}", json=body)


def test_rules_come_back_as_they_were_sent_apart_from_prices(api):
    metric = api.metric("bonus")
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "5"}

    plan = paying_plan(api, {**RIDE, "filters": [FILTER]}, RIDE, prices=[price])

    first, second = plan["payout_rules"]
    assert {name: first[name] for name in RIDE} == RIDE
    assert (first["filters"], second["filters"]) == ([FILTER], [])
    assert (first["currency"], first["plan_id"]) == ("NGN", plan["id"])
    assert [one["metric_id"] for one in plan["prices"]] == [metric["id"]]
    assert api.get(f"/v1/plans/{plan['id']}").json()["plan"] == plan


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("amount_expression", "fare *", "column 7: a number, a property or a function is missing"),
        ("amount_expression", "", "column 1: a number, a property or a function is missing"),
        ("amount_expression", "(" * 40 + "1", "column 33: is nested more than 32 deep"),
        (
            "amount_expression",
            "a; DROP TABLE x",
            "column 2: is neither a number, a name nor a sign",
        ),
        ("trigger_event", "", "is required"),
        ("recipient_field", None, "is required"),
        ("currency", "KES", "must be the plan's, NGN"),
    ],
)
def test_nonsense_is_refused_by_its_column(api, field, value, message):
    faults = refused(post(api, RIDE, {**RIDE, field: value}))

    assert faults == {f"payout_rules[1].{field}": message}


def test_ten_megabytes_are_no_formula(api):
    answer = post(api, {**RIDE, "amount_expression": "1+" * 5_000_000 + "1"})

    assert answer.status_code in {400, 413}
    assert api.get("/v1/plans").json()["plans"] == []


def test_a_long_formula_is_refused_by_its_field(api):
    faults = refused(post(api, {**RIDE, "amount_expression": "1 + " * 300 + "1"}))

    assert list(faults) == ["payout_rules[0].amount_expression"]


def test_a_faulty_filter_is_refused_by_its_field(api):
    bad = {"property": "city", "operator": "like", "value": "L%"}

    faults = refused(post(api, {**RIDE, "filters": [FILTER, bad]}))

    assert list(faults) == ["payout_rules[0].filters[1].operator"]


def test_more_rules_than_a_plan_may_have_are_refused(api):
    assert list(refused(post(api, *[RIDE] * 21))) == ["payout_rules"]


def test_rules_are_possible_on_a_payout_plan_only(api):
    on_collection = post(api, RIDE, plan_type="collection")
    plan = paying_plan(api)

    assert list(refused(on_collection)) == ["payout_rules"]
    assert list(refused(edit(api, plan, plan_type="collection"))) == ["payout_rules"]


def test_an_edit_keeps_ids_and_what_is_the_same(api):
    plan = paying_plan(api, RIDE, {**RIDE, "trigger_event": "tip"})
    ride, tip = plan["payout_rules"]

    answer = edit(api, plan, payout_rules=[tip, {**ride, "amount_expression": "fare"}, {**RIDE}])

    edited = answer.json()["plan"]["payout_rules"]
    assert [one["id"] for one in edited][:2] == [tip["id"], ride["id"]]
    assert edited[0]["metric_id"] == tip["metric_id"]
    assert edited[1]["metric_id"] != ride["metric_id"]
    assert edited[1]["amount_expression"] == "fare"
    revisions = api.get(f"/v1/plans/{plan['id']}/revisions").json()["revisions"]
    assert [len(one["payout_rules"]) for one in revisions] == [3, 2]
    assert [one["prices"] for one in revisions] == [[], []]


def test_an_edit_without_rules_leaves_them(api):
    plan = paying_plan(api)

    edited = edit(api, plan, name="Other").json()["plan"]

    assert edited["payout_rules"] == plan["payout_rules"]
    assert edited["revision"] == plan["revision"]


@pytest.mark.parametrize("rule_id", ["nonsense", "0197b3c0-0000-7000-8000-000000000000"])
def test_an_id_of_no_rule_of_the_plan_is_refused(api, rule_id):
    plan = paying_plan(api)

    faults = refused(edit(api, plan, payout_rules=[{**RIDE, "id": rule_id}]))

    assert list(faults) == ["payout_rules[0].id"]


def test_a_rules_metric_is_not_edited_by_itself(api):
    (rule,) = paying_plan(api)["payout_rules"]
    path = f"/v1/metrics/{rule['metric_id']}"

    metric = api.get(path).json()["metric"]

    assert (metric["value_expression"], metric["customer_property"]) == ("fare * 0.80", "driver")
    assert refused(api.put(path, json={"name": "x"}), 409) == "metric_of_payout_rule"
    assert refused(api.delete(path), 409) == "metric_of_payout_rule"


def test_a_rules_metric_has_no_other_price(api):
    (rule,) = paying_plan(api)["payout_rules"]
    price = {"metric_id": rule["metric_id"], "model": "flat_unit", "unit_price": "5"}

    faults = refused(api.post("/v1/plans", json={"name": "Plan", "prices": [price]}))

    assert faults == {"prices[0].metric_id": "belongs to a payout rule"}


def test_the_rules_of_a_deleted_plan_look_at_no_event(api):
    plan = paying_plan(api)

    api.delete(f"/v1/plans/{plan['id']}")

    assert api.get("/v1/metrics").json()["metrics"] == []
