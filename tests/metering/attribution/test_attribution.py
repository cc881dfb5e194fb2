"""What events are worth to whom they name: once, whoever works it out, whenever it is known."""

import asyncio
from decimal import Decimal
from uuid import uuid4

import asyncpg
import pytest

from monigo import metering
from support.metering import differences, fold, replayed
from support.payout_rules import RIDE, paying_plan, ride, run_replays

START, END = "2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z"

WORTH = """
    SELECT metric_id, dedup, customer_id, recipient, amount, fault FROM attributed_amounts
    WHERE org_id = $1 AND is_test = $2 ORDER BY occurred_at, dedup
"""
INSERT = """
    INSERT INTO attributed_amounts (
        org_id, is_test, metric_id, dedup, customer_id, recipient, occurred_at, attributed_at,
        amount, fault
    ) VALUES ($1, $2, $3, $4, $5, $6, now(), now(), $7, $8)
"""


def stored(api):
    return api.backend.sql(WORTH, api.org_id, api.tenant.is_test)


def value(api, customer="d1"):
    rollups = api.get("/v1/usage", params={"customer_id": customer}).json()["rollups"]
    return {one["metric_id"]: Decimal(str(one["value"])) for one in rollups}


@pytest.fixture
def plan(api):
    api.customer("c1")
    api.customer("d1")
    return paying_plan(api)


@pytest.fixture
def metric(plan):
    return plan["payout_rules"][0]["metric_id"]


def test_events_are_worth_what_the_rule_says_once_they_are_folded(api, metric):
    api.ingest(ride("1", fare="100.50"), ride("2", fare=50))

    fold(api)

    assert value(api) == {metric: Decimal("120.4")}
    assert value(api, "c1") == {}
    assert differences(api) == []


def test_a_new_rule_pays_for_what_was_stored_before(api):
    api.customer("c1")
    api.customer("d1")
    api.ingest(ride("1"), ride("2"))
    fold(api)
    api.ingest(ride("3"))

    (rule,) = paying_plan(api)["payout_rules"]
    fold(api)

    assert value(api) == {rule["metric_id"]: 240}
    assert differences(api) == []


def test_what_waits_when_a_rule_is_made_is_paid_once(api):
    api.customer("c1")
    api.customer("d1")
    api.ingest(ride("1"))
    (rule,) = paying_plan(api, run=False)["payout_rules"]

    fold(api)
    run_replays(api)

    assert value(api) == {rule["metric_id"]: 80}
    assert differences(api) == []


def test_an_event_pays_once_by_a_rule_however_often_it_is_worked_out(api, metric):
    api.ingest(*(ride(str(number)) for number in range(20)))
    fold(api)
    before = stored(api)

    replayed(api, START, END)
    replayed(api, START, END, event_name="ride")

    assert stored(api) == before
    assert value(api) == {metric: 1600}
    assert differences(api) == []


def test_a_dry_run_finds_nothing_to_change(api, metric):
    api.ingest(ride("1"))
    fold(api)

    job = replayed(api, START, END, dry_run=True)

    assert (job["report"]["changed"], job["report"]["rows"]) == (0, [])
    assert value(api) == {metric: 80}


def test_two_workers_that_fold_at_once_pay_once(api, metric):
    for number in range(12):
        api.ingest(*(ride(f"{number}-{each}") for each in range(20)))
    database = api.backend.services.database

    async def at_once():
        await asyncio.gather(*(metering.fold_all(database) for _ in range(4)))

    api.backend.run(at_once())

    assert value(api) == {metric: 12 * 20 * 80}
    assert differences(api) == []


def test_filters_choose_what_pays(api):
    api.customer("c1")
    api.customer("d1")
    only = [{"property": "fare", "operator": ">", "value": 10}]
    (rule,) = paying_plan(api, {**RIDE, "filters": only})["payout_rules"]

    api.ingest(ride("1", fare=10), ride("2", fare=20))
    fold(api)

    assert value(api) == {rule["metric_id"]: 16}
    assert len(stored(api)) == 1
    assert differences(api) == []


def test_several_rules_look_at_one_event(api):
    api.customer("c1")
    api.customer("d1")
    api.customer("city")
    toll = {**RIDE, "recipient_field": "town", "amount_expression": "min(fare * 0.01, 5)"}
    pay, tax = paying_plan(api, RIDE, toll)["payout_rules"]

    api.ingest(ride("1", properties={"fare": 1000, "driver": "d1", "town": "city"}))
    fold(api)

    assert value(api) == {pay["metric_id"]: 800}
    assert value(api, "city") == {tax["metric_id"]: 5}


def test_nothing_else_in_an_event_is_in_the_way(api, metric):
    deep = "[" * 900 + "]" * 900
    whole = "1" + "0" * 5_000
    body = (
        '{"events": [{"event_name": "ride", "customer_id": "c1", "idempotency_key": "1",'
        f' "properties": {{"fare": 5, "driver": "d1", "deep": {deep}, "whole": {whole}}}}}]}}'
    )
    headers = {"Content-Type": "application/json"}
    assert api.post("/v1/ingest", content=body, headers=headers).status_code == 202

    fold(api)

    assert value(api) == {metric: 4}


def test_a_series_shows_what_a_rule_comes_to(api, metric):
    api.ingest(ride("1"), ride("2"))
    fold(api)

    params = {"metric_id": metric, "customer_id": "d1", "granularity": "hour"}
    points = api.get("/v1/usage/series", params=params).json()["points"]

    assert sum(Decimal(str(point["value"])) for point in points) == 160


@pytest.mark.usefixtures("metric")
def test_a_planted_fault_is_found(api):
    api.ingest(ride("1"), ride("2"), ride("3"))
    fold(api)
    first, second, _ = stored(api)
    gone = [first["dedup"], second["dedup"]]
    other = (first["metric_id"], first["dedup"], first["customer_id"], "", Decimal(81), "")

    api.backend.sql("DELETE FROM attributed_amounts WHERE dedup = ANY ($1::uuid[])", gone)
    api.backend.sql(INSERT, api.org_id, True, *other)

    found = {(one.what, one.stored, one.computed) for one in differences(api)}
    assert ("attributed amount", "81.000000000000", "80.000000000000") in found
    assert ("attributed amount", None, "80.000000000000") in found
    assert {one.what for one in differences(api)} == {"attributed amount", "bucket"}


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("attributed_amounts_waits_for_recipient", (None, "", Decimal(1), "")),
        ("attributed_amounts_waits_for_recipient", (uuid4(), "d1", Decimal(1), "")),
        ("attributed_amounts_waits_for_recipient", (uuid4(), "", None, "recipient_missing")),
        ("attributed_amounts_fault_has_no_amount", (uuid4(), "", None, "")),
        ("attributed_amounts_fault_has_no_amount", (uuid4(), "", Decimal(1), "too_large")),
        ("attributed_amounts_fault_known", (uuid4(), "", None, "tired")),
        ("attributed_amounts_recipient_in_bounds", (None, "x" * 256, Decimal(1), "")),
    ],
)
def test_the_database_refuses_amounts_that_cannot_be(api, metric, constraint, values):
    with pytest.raises(asyncpg.CheckViolationError) as caught:
        api.backend.sql(INSERT, api.org_id, True, metric, uuid4(), *values)

    assert caught.value.constraint_name == constraint


def test_the_database_refuses_a_second_amount_of_an_event_and_rule(api, metric):
    api.ingest(ride("1"))
    fold(api)
    (row,) = stored(api)

    with pytest.raises(asyncpg.UniqueViolationError):
        api.backend.sql(INSERT, api.org_id, True, metric, row["dedup"], uuid4(), "", Decimal(1), "")


@pytest.mark.usefixtures("metric")
@pytest.mark.parametrize("change", ["customer_id = gen_random_uuid()", "recipient = 'd2'"])
def test_the_database_keeps_an_amount_with_its_customer(api, change):
    api.ingest(ride("1"))
    fold(api)

    with pytest.raises(asyncpg.CheckViolationError) as caught:
        api.backend.sql(f"UPDATE attributed_amounts SET {change} WHERE org_id = $1", api.org_id)

    assert caught.value.constraint_name in {
        "attributed_amounts_attributed_once",
        "attributed_amounts_waits_for_recipient",
    }


@pytest.mark.parametrize(
    ("constraint", "change"),
    [
        ("metrics_rule_never_changes", "version = 2"),
        ("metrics_rule_never_changes", "group_by = 'city'"),
        ("metrics_rule_names_its_recipient", "customer_property = ''"),
        ("metrics_value_where_needed", "aggregation_property = 'fare'"),
    ],
)
def test_the_database_refuses_a_rule_that_cannot_be(api, metric, constraint, change):
    with pytest.raises(asyncpg.CheckViolationError) as caught:
        api.backend.sql(f"UPDATE metrics SET {change} WHERE id = $1", metric)

    assert caught.value.constraint_name == constraint
