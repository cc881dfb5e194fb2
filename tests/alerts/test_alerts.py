"""Alerts as merchants make, read, change and acknowledge them."""

from uuid import uuid4

import asyncpg
import pytest

from support.alerts import alert, settle, states, told, usage_alert
from support.api import Api, event


@pytest.fixture
def world(api):
    """A customer on a flat plan over `api_call`."""
    return api, *api.subscribed_customer()


def usage_body(customer, metric, **fields):
    return {
        "type": "usage_exceeded",
        "scope": "customer",
        "scope_id": customer["external_id"],
        "metric_id": metric["id"],
        "thresholds": [{"value": "1"}],
        **fields,
    }


def test_an_alert_is_made_as_it_was_asked_for(world):
    api, customer, metric, _, _ = world

    made = usage_alert(api, "customer", "c1", metric, "1.5", "20", require_acknowledgment=True)

    assert made == api.get(f"/v1/alerts/{made['id']}").json()["alert"]
    times = {"created_at": made["created_at"], "updated_at": made["updated_at"]}
    assert made == {
        "id": made["id"],
        "org_id": str(api.org_id),
        "type": "usage_exceeded",
        "scope": "customer",
        "scope_id": customer["id"],
        "metric_id": metric["id"],
        "currency": "",
        "thresholds": [
            {"value": "1.5", "label": "at 1.5"},
            {"value": "20", "label": "at 20"},
        ],
        "require_acknowledgment": True,
        "is_enabled": True,
        "status": "active",
        **times,
    }


def test_the_same_is_not_watched_twice(world):
    api, customer, metric, plan, _ = world
    usage_alert(api, "customer", "c1", metric, "1")
    alert(api, "cost_exceeded", "plan", plan["id"], "1")

    again = api.post("/v1/alerts", json=usage_body(customer, metric))
    other = api.metric("visit")
    usage_alert(api, "customer", "c1", other, "1")
    body = {"type": "cost_exceeded", "scope": "plan", "scope_id": plan["id"]}
    cost = api.post("/v1/alerts", json={**body, "thresholds": [{"value": "5"}]})

    assert (again.status_code, cost.status_code) == (409, 409)
    assert again.json()["error"] == "Alert already exists for this scope"


def test_a_deleted_alert_makes_room_for_another(world):
    api, _, metric, _, _ = world
    made = usage_alert(api, "customer", "c1", metric, "1")

    answer = api.delete(f"/v1/alerts/{made['id']}")

    assert (answer.status_code, answer.content) == (204, b"")
    assert api.get(f"/v1/alerts/{made['id']}").status_code == 404
    assert api.get("/v1/alerts").json()["alerts"] == []
    assert usage_alert(api, "customer", "c1", metric, "1")["id"] != made["id"]


NO_ID = str(uuid4())


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"thresholds": []}, 400, "thresholds"),
        ({"thresholds": [{"value": str(one + 1)} for one in range(21)]}, 400, "thresholds"),
        ({"thresholds": [{"value": "0"}]}, 400, "thresholds[0].value"),
        ({"thresholds": [{"value": "-1"}]}, 400, "thresholds[0].value"),
        ({"thresholds": [{"value": "NaN"}]}, 400, "thresholds[0].value"),
        ({"thresholds": [{"value": "2"}, {"value": "2"}]}, 400, "thresholds[1].value"),
        ({"thresholds": [{"value": "2"}, {"value": "1"}]}, 400, "thresholds[1].value"),
        ({"thresholds": [{"value": "1", "label": "x" * 256}]}, 400, "thresholds[0].label"),
        ({"metric_id": None}, 400, "metric_id"),
        ({"currency": "NGN"}, 400, "currency"),
        ({"type": "other"}, 400, "type"),
        ({"scope": "other"}, 400, "scope"),
        ({"metric_id": NO_ID}, 404, "metric_id"),
        ({"scope_id": "nobody"}, 404, "scope_id"),
        ({"scope": "plan", "scope_id": NO_ID}, 404, "scope_id"),
        ({"scope": "subscription", "scope_id": "none"}, 404, "scope_id"),
        ({"type": "cost_exceeded"}, 400, "metric_id"),
        ({"type": "cost_exceeded", "metric_id": None}, 400, "currency"),
        ({"type": "cost_exceeded", "metric_id": None, "currency": "XXZ"}, 400, "currency"),
        (
            {
                "type": "wallet_balance_dropped",
                "metric_id": None,
                "thresholds": [{"value": "1"}, {"value": "2"}],
            },
            400,
            "thresholds[1].value",
        ),
        (
            {
                "type": "cost_exceeded",
                "metric_id": None,
                "currency": "NGN",
                "thresholds": [{"value": "0.0000001"}],
            },
            400,
            "thresholds[0].value",
        ),
    ],
)
def test_a_bad_alert_is_refused_by_the_field_at_fault(world, changes, status, field):
    api, customer, metric, _, _ = world

    answer = api.post("/v1/alerts", json=usage_body(customer, metric, **changes))

    assert answer.status_code == status, answer.text
    assert field in answer.json()["details"]
    assert api.get("/v1/alerts").json()["alerts"] == []


def test_a_plans_cost_is_in_its_currency(world):
    api, _, _, plan, _ = world
    body = {"type": "cost_exceeded", "scope": "plan", "scope_id": plan["id"], "currency": "KES"}

    answer = api.post("/v1/alerts", json={**body, "thresholds": [{"value": "5"}]})

    assert answer.status_code == 400
    assert answer.json()["details"] == {"currency": "the plan's is NGN"}


def test_alerts_are_listed_by_type_and_scope(world):
    api, _, metric, plan, subscription = world
    of_customer = usage_alert(api, "customer", "c1", metric, "1")["id"]
    of_plan = alert(api, "cost_exceeded", "plan", plan["id"], "1")["id"]
    of_subscription = usage_alert(api, "subscription", subscription["id"], metric, "1")["id"]

    def listed(**wanted):
        return [one["id"] for one in api.get("/v1/alerts", params=wanted).json()["alerts"]]

    assert listed() == [of_subscription, of_plan, of_customer]
    assert listed(type="usage_exceeded") == [of_subscription, of_customer]
    assert listed(scope="plan") == [of_plan]
    assert listed(customer_id="c1") == [of_customer]
    assert listed(subscription_id=subscription["id"]) == [of_subscription]
    assert listed(plan_id=plan["id"]) == [of_plan]
    assert listed(customer_id="nobody") == listed(plan_id="none") == []


def test_what_was_reached_is_acknowledged_once(world):
    api, _customer, metric, _, _ = world
    made = usage_alert(api, "customer", "c1", metric, "1", "2", "3", require_acknowledgment=True)
    api.ingest(event("a"), event("b"))
    settle(api)
    first, second = states(api)

    answer = api.post(f"/v1/alerts/triggered/{first['id']}/acknowledge")
    again = api.post(f"/v1/alerts/triggered/{first['id']}/acknowledge")
    whole = api.post(f"/v1/alerts/{made['id']}/acknowledge")

    state = answer.json()["state"]
    assert (state["status"], state["acknowledged_by"][:8]) == ("acknowledged", "api_key:")
    assert state == again.json()["state"]
    assert whole.json()["alert"]["status"] == "active"
    assert [one["id"] for one in told(api, "alert.acknowledged")] == [first["id"], second["id"]]
    assert {one["status"] for one in told(api, "alert.acknowledged")} == {"acknowledged"}
    assert api.get("/v1/alerts/triggered/summary").json()["summary"] == {
        "total": 2,
        "triggered": 0,
        "acknowledged": 2,
        "resolved": 0,
        "triggered_by_type": {
            "usage_exceeded": 0,
            "cost_exceeded": 0,
            "wallet_balance_dropped": 0,
        },
    }


def test_what_was_reached_is_listed_by_its_fields(world):
    api, _, metric, _, _ = world
    usage_alert(api, "customer", "c1", metric, "1")
    api.ingest(event("a"))
    settle(api)
    (state,) = states(api)

    assert states(api, type="usage_exceeded", customer_id="c1", status="triggered") == [state]
    assert states(api, date_from=state["triggered_at"]) == [state]
    assert states(api, date_to=state["triggered_at"]) == []
    assert states(api, type="cost_exceeded") == states(api, customer_id="nobody") == []
    assert states(api, status="acknowledged") == []
    assert api.get("/v1/alerts/triggered", params={"status": "other"}).status_code == 400
    empty = {"date_from": state["triggered_at"], "date_to": state["triggered_at"]}
    assert api.get("/v1/alerts/triggered", params=empty).status_code == 400


def test_anothers_alert_is_unknown(world, backend):
    api, customer, metric, _plan, _ = world
    made = usage_alert(api, "customer", "c1", metric, "1")
    with Api.of_new_organization(backend) as other:
        answers = [
            other.get(f"/v1/alerts/{made['id']}"),
            other.put(f"/v1/alerts/{made['id']}", json={"thresholds": [{"value": "1"}]}),
            other.delete(f"/v1/alerts/{made['id']}"),
            other.post(f"/v1/alerts/{made['id']}/acknowledge"),
            other.post("/v1/alerts", json=usage_body(customer, metric, scope_id=customer["id"])),
        ]

    assert [one.status_code for one in answers] == [404] * 5
    assert api.get(f"/v1/alerts/{made['id']}").json()["alert"] == made


TWICE = """
    INSERT INTO alert_states (
        org_id, is_test, id, alert_id, customer_id, subscription_id, period_start, period_end,
        wallet_id, threshold, label, value, status, triggered_at, updated_at
    )
    SELECT org_id, is_test, gen_random_uuid(), alert_id, customer_id, subscription_id,
        period_start, period_end, wallet_id, threshold, label, value, 'triggered', triggered_at,
        updated_at
    FROM alert_states WHERE org_id = $1
"""


def test_the_database_refuses_a_threshold_twice_in_a_period(world):
    api, _, metric, _, _ = world
    usage_alert(api, "customer", "c1", metric, "1")
    api.ingest(event("a"))
    settle(api)

    with pytest.raises(asyncpg.UniqueViolationError, match="alert_states_once_per_period"):
        api.backend.sql(TWICE, api.org_id)


def test_the_database_refuses_a_balance_below_a_threshold_twice(world):
    api, _, _, _, _ = world
    api.wallet(funds="1")
    alert(api, "wallet_balance_dropped", "customer", "c1", "5")
    settle(api)

    with pytest.raises(asyncpg.UniqueViolationError, match="alert_states_once_until_rearmed"):
        api.backend.sql(TWICE, api.org_id)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("scope = 'plan'", "alerts_scope_has_its_id"),
        ("plan_id = gen_random_uuid()", "alerts_scope_has_its_id"),
        ("metric_id = NULL", "alerts_usage_is_of_a_metric"),
        ("currency = 'NGN'", "alerts_currency_is_iso_4217"),
        ("type = 'other'", "alerts_"),
    ],
)
def test_the_database_refuses_an_alert_that_can_not_be(world, change, constraint):
    api, _, metric, _, _ = world
    usage_alert(api, "customer", "c1", metric, "1")

    with pytest.raises(asyncpg.CheckViolationError, match=constraint):
        api.backend.sql(f"UPDATE alerts SET {change} WHERE org_id = $1", api.org_id)
