"""Usage alerts: each threshold once for each subscription and period, in order."""

import asyncio

import pytest

from monigo import metering
from monigo.alerts import CLOCK_TASKS, TASKS, watching_store
from monigo.infra.agenda import work_off
from monigo.metering import Watcher
from support.alerts import reached, settle, states, told, usage_alert
from support.api import event


def use(api, count, key="use", customer="c1", **fields):
    api.ingest(*(event(f"{key}-{number}", customer, **fields) for number in range(count)))


@pytest.fixture
def world(api):
    """A customer on a flat plan over `api_call`."""
    customer, metric, plan, subscription = api.subscribed_customer()
    settle(api)
    return api, customer, metric, plan, subscription


def test_thresholds_are_reached_once_and_in_order(world):
    api, customer, metric, _, subscription = world
    made = usage_alert(api, "subscription", subscription["id"], metric, "2", "4", "6")

    use(api, 5)
    settle(api)
    settle(api)

    assert reached(api) == ["2", "4"]
    assert [one["threshold"] for one in told(api)] == [
        {"value": "2", "label": "at 2"},
        {"value": "4", "label": "at 4"},
    ]
    first = states(api)[0]
    assert first["alert_id"] == made["id"]
    assert first["customer_id"] == customer["id"]
    assert first["subscription_id"] == subscription["id"]
    assert (first["value"], first["status"]) == ("5", "triggered")


def test_what_is_acknowledged_later_reaches_only_what_is_new(world):
    api, _, metric, _, subscription = world
    usage_alert(api, "subscription", subscription["id"], metric, "2", "4")
    use(api, 3)
    settle(api)
    assert reached(api) == ["2"]

    use(api, 3, "more")
    use(api, 3, "more")
    settle(api)

    assert reached(api) == ["2", "4"]


def test_an_alert_of_a_plan_watches_each_subscription_on_its_own(world):
    api, _, metric, plan, _ = world
    api.customer("c2")
    api.subscribe("c2", plan["id"])
    usage_alert(api, "plan", plan["id"], metric, "3")
    settle(api)

    use(api, 2, "a")
    use(api, 3, "b", "c2")
    settle(api)
    assert [one["value"] for one in states(api)] == ["3"]
    use(api, 2, "c")
    settle(api)

    assert len({one["subscription_id"] for one in states(api)}) == 2


def test_a_subscription_that_comes_later_is_watched_too(world):
    api, _, metric, plan, _ = world
    usage_alert(api, "plan", plan["id"], metric, "3")
    settle(api)

    api.customer("c2")
    later = api.subscribe("c2", plan["id"])
    settle(api)
    use(api, 3, "b", "c2")
    settle(api)

    assert [one["subscription_id"] for one in states(api)] == [later["id"]]


def test_what_was_used_before_the_alert_was_made_counts(world):
    api, customer, metric, _, _ = world
    use(api, 5)
    settle(api)

    usage_alert(api, "customer", customer["external_id"], metric, "2", "9")
    settle(api)

    assert reached(api) == ["2"]


def test_a_new_period_lets_thresholds_be_reached_again(world, clock):
    api, _, metric, _, subscription = world
    usage_alert(api, "subscription", subscription["id"], metric, "2")
    use(api, 2)
    settle(api)
    clock(subscription["current_period_end"])
    assert [one["status"] for one in states(api)] == ["resolved"]

    use(api, 1, "next")
    settle(api)
    assert reached(api) == ["2"]
    use(api, 1, "then")
    settle(api)

    assert reached(api) == ["2", "2"]
    assert len({one["period_start"] for one in states(api)}) == 2


def test_the_end_of_a_period_finds_what_no_look_has_seen(world, clock):
    api, _, metric, _, subscription = world
    usage_alert(api, "subscription", subscription["id"], metric, "2")
    settle(api)

    use(api, 2)
    clock(subscription["current_period_end"])

    assert reached(api) == ["2"]
    assert states(api)[0]["period_end"] == subscription["current_period_end"]


def test_a_late_event_counts_for_the_period_in_which_it_happened(world, clock):
    api, _, metric, _, subscription = world
    usage_alert(api, "subscription", subscription["id"], metric, "2")
    use(api, 1)
    settle(api)
    clock(subscription["current_period_end"])
    assert reached(api) == []

    use(api, 1, "late", timestamp=subscription["current_period_start"])
    settle(api)

    assert [one["period_start"] for one in states(api)] == [subscription["current_period_start"]]


def test_a_period_that_ended_before_the_alert_was_made_does_not_count(world, clock):
    api, _, metric, _, subscription = world
    use(api, 5)
    clock(subscription["current_period_end"])

    usage_alert(api, "subscription", subscription["id"], metric, "2")
    use(api, 1, "late", timestamp=subscription["current_period_start"])
    settle(api)

    assert reached(api) == []


def test_another_plan_begins_a_period_of_its_own_alerts(world):
    api, _, metric, plan, subscription = world
    other = api.plan({"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"})
    usage_alert(api, "plan", plan["id"], metric, "2")
    usage_alert(api, "plan", other["id"], metric, "3")
    settle(api)
    use(api, 2)
    settle(api)

    api.backend.clock.advance(seconds=1)
    api.patch(f"/v1/subscriptions/{subscription['id']}", json={"plan_id": other["id"]})
    settle(api)
    use(api, 2, "then")
    settle(api)
    assert reached(api) == ["2"]
    use(api, 1, "last")
    settle(api)

    assert reached(api) == ["2", "3"]


def test_usage_of_a_canceled_subscription_is_looked_at_once_more(world):
    api, _, metric, _, subscription = world
    usage_alert(api, "subscription", subscription["id"], metric, "2")
    settle(api)
    use(api, 2)

    api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": "canceled"})
    settle(api)

    assert reached(api) == ["2"]


def test_a_deleted_metric_is_not_watched_any_more(api):
    customer = api.customer()
    metric = api.metric()
    api.subscribe(customer["id"], api.plan()["id"])
    usage_alert(api, "customer", customer["id"], metric, "2")
    settle(api)

    assert api.delete(f"/v1/metrics/{metric['id']}").status_code == 200
    use(api, 3)
    settle(api)

    assert reached(api) == []


def test_a_metric_that_counts_otherwise_is_looked_at_again(api):
    customer = api.customer()
    metric = api.metric(aggregation="sum", aggregation_property="size")
    api.subscribe(customer["id"], api.plan()["id"])
    usage_alert(api, "customer", customer["id"], metric, "10")
    use(api, 2, properties={"size": 4, "weight": 6})
    settle(api)
    assert reached(api) == []

    api.put(f"/v1/metrics/{metric['id']}", json={"aggregation_property": "weight"})
    settle(api)

    assert reached(api) == ["10"]


@pytest.mark.parametrize(
    ("aggregation", "sizes", "threshold", "last"),
    [
        ("sum", [4, -3, "5.5"], "6.5", 0),
        ("sum", [-2, -3], "1", 6),
        ("max", [4, 7, 2], "7", 1),
        ("average", [4, 8], "6", 6),
        ("unique", ["a", "b", "b"], "2", "a"),
    ],
)
def test_every_aggregation_reaches_its_threshold(api, aggregation, sizes, threshold, last):
    customer = api.customer()
    metric = api.metric(aggregation=aggregation, aggregation_property="size")
    api.subscribe(customer["id"], api.plan()["id"])
    usage_alert(api, "customer", customer["id"], metric, threshold, "99")
    settle(api)

    for number, size in enumerate([*sizes, last]):
        api.ingest(event(f"use-{number}", properties={"size": size}))
        settle(api)

    assert reached(api) == [threshold]


def test_a_disabled_alert_watches_nothing_until_it_is_enabled(world):
    api, _, metric, _, subscription = world
    made = usage_alert(api, "subscription", subscription["id"], metric, "2", "9")
    disabled = api.post(f"/v1/alerts/{made['id']}/disable").json()["alert"]
    use(api, 3)
    settle(api)
    assert (disabled["is_enabled"], disabled["status"]) == (False, "disabled")
    assert reached(api) == []

    enabled = api.post(f"/v1/alerts/{made['id']}/enable").json()["alert"]
    settle(api)

    assert (enabled["is_enabled"], enabled["status"]) == (True, "active")
    assert reached(api) == ["2"]
    assert api.get(f"/v1/alerts/{made['id']}").json()["alert"]["status"] == "triggered"


def test_other_thresholds_are_reached_once_as_well(world):
    api, _, metric, _, subscription = world
    made = usage_alert(api, "subscription", subscription["id"], metric, "2")
    use(api, 5)
    settle(api)

    body = {"thresholds": [{"value": "2"}, {"value": "4"}, {"value": "8"}]}
    api.put(f"/v1/alerts/{made['id']}", json=body)
    settle(api)

    assert reached(api) == ["2", "4"]


def test_looks_at_once_reach_a_threshold_once(world):
    api, _, metric, _, subscription = world
    usage_alert(api, "subscription", subscription["id"], metric, "2", "4")
    settle(api)
    use(api, 5)
    database = api.backend.services.database
    api.backend.run(metering.fold_all(database))

    async def everybody():
        await asyncio.gather(
            *(
                work_off(database, task, api.tenant)
                for task in (*TASKS, *CLOCK_TASKS)
                for _ in range(3)
            )
        )

    api.backend.run(everybody())

    assert reached(api) == ["2", "4"]


def test_usage_that_can_reach_nothing_is_not_looked_at(world):
    api, _, metric, _, subscription = world
    usage_alert(api, "subscription", subscription["id"], metric, "1000")
    settle(api)
    use(api, 5)
    api.backend.run(metering.fold_all(api.backend.services.database))

    async def find():
        async with api.backend.services.database.transaction(api.tenant) as tx:
            return await watching_store.near(tx, await metering.take_touched(tx, Watcher.USAGE))

    assert api.backend.run(find()) == []
    use(api, 995, "more")
    api.backend.run(metering.fold_all(api.backend.services.database))
    assert [str(one) for one in api.backend.run(find())] == [subscription["id"]]


def test_without_alerts_nothing_is_kept_for_them(world):
    api, _, metric, _, subscription = world
    made = usage_alert(api, "subscription", subscription["id"], metric, "2")
    api.delete(f"/v1/alerts/{made['id']}")

    use(api, 5)
    api.backend.run(metering.fold_all(api.backend.services.database))

    kept = "SELECT batch_id FROM watched_batches WHERE org_id = $1"
    assert api.backend.sql(kept, api.org_id) == []
    assert reached(api) == []
