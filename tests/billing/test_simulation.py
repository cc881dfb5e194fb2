"""A simulation prices past usage as proposed, and changes nothing."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest
from msgspec.structs import replace

from monigo import invoicing
from monigo.infra.queue import TryLaterError
from monigo.invoicing.simulate import job as simulation_job
from monigo.invoicing.simulate import rules as simulation_rules
from monigo.invoicing.simulate import service as simulation
from support.api import Api, event
from support.jobs import run_simulation

START = "2027-01-31T10:00:00Z"
FIRST_END = "2027-02-28T10:00:00Z"
SECOND_END = "2027-03-31T10:00:00Z"


@pytest.fixture
def sold(api, clock):
    """Two customers on a flat plan at 2, the first with three events in a closed period."""
    clock(START)
    _, metric, plan, subscription = api.subscribed_customer()
    api.subscribe(api.customer("c2")["id"], plan["id"])
    api.ingest(event("1"), event("2"), event("3"), event("other", customer="c2"))
    clock("2027-03-01T00:00:00Z")
    return metric, plan, subscription


def at(metric, unit_price, **fields):
    return {"metric_id": metric["id"], "model": "flat_unit", "unit_price": unit_price, **fields}


def ask(api, plan, *prices, **fields):
    body = {"plan_id": plan["id"], "prices": list(prices), **fields}
    return api.post("/v1/plans/simulate", json=body)


def report(response):
    assert response.status_code == 200, response.text
    return response.json()["simulation"]["report"]


def amounts(row):
    return row["old_amount"], row["new_amount"], row["difference"]


def work(api, simulation_id, stop=None):
    """Take a simulation to its end, as the worker does."""
    run_simulation(api, simulation_id, stop=stop)
    return api.get(f"/v1/plans/simulations/{simulation_id}").json()["simulation"]


def test_the_last_full_period_is_priced_by_both_prices(api, sold):
    metric, plan, _ = sold
    customer_id = api.get("/v1/customers/c1").json()["customer"]["id"]

    told = report(ask(api, plan, at(metric, "2.5")))

    assert amounts(told) == ("8.000000", "10.000000", "2.000000")
    assert (told["customers_total"], told["customers_paying_more"]) == (2, 2)
    first = told["customers"][0]
    assert (first["customer_id"], *amounts(first)) == (
        customer_id,
        "6.000000",
        "7.500000",
        "1.500000",
    )
    assert (first["period_start"], first["period_end"]) == (START, FIRST_END)


def test_nothing_is_changed_by_it(api, sold):
    metric, plan, _ = sold
    before = [api.get(f"/v1/{what}").json() for what in ("plans", "invoices", "subscriptions")]

    report(ask(api, plan, at(metric, "100"), base_fee="7"))

    after = [api.get(f"/v1/{what}").json() for what in ("plans", "invoices", "subscriptions")]
    assert after == before


def test_what_the_merchant_edited_since_is_not_what_held(api, sold):
    metric, plan, _ = sold
    (price,) = plan["prices"]
    edited = at(metric, "50", id=price["id"])
    api.put(f"/v1/plans/{plan['id']}", json={"prices": [edited]})

    told = report(ask(api, plan, edited))

    assert amounts(told) == ("8.000000", "200.000000", "192.000000")


def test_a_base_fee_counts_once_a_period(api, sold):
    metric, plan, _ = sold

    told = report(ask(api, plan, at(metric, "2"), base_fee="1.5"))

    assert amounts(told) == ("8.000000", "11.000000", "3.000000")


def test_a_closed_invoice_and_its_simulation_with_the_same_prices_agree(api, sold):
    metric, plan, _ = sold

    told = report(ask(api, plan, at(metric, "2"), customer_ids=["c1"]))

    totals = {invoice["total"] for invoice in api.get("/v1/invoices").json()["invoices"]}
    assert amounts(told) == ("6.000000", "6.000000", "0.000000")
    assert "6.000000" in totals
    assert told["customers_total"] == 1


def test_a_span_takes_in_all_periods_that_lie_in_it(api, clock, sold):
    metric, plan, _ = sold
    api.ingest(event("march"))
    clock("2027-04-01T00:00:00Z")

    both = report(ask(api, plan, at(metric, "3"), **{"from": START, "to": SECOND_END}))
    first = report(ask(api, plan, at(metric, "3"), **{"from": START, "to": "2027-03-31T00:00:00Z"}))

    assert (both["periods"], *amounts(both)) == (4, "10.000000", "15.000000", "5.000000")
    assert (first["periods"], *amounts(first)) == (2, "8.000000", "12.000000", "4.000000")


def test_an_override_keeps_holding_for_a_price_that_stays(api, clock):
    clock(START)
    customer, metric, plan, _ = api.subscribed_customer()
    (price,) = plan["prices"]
    override = {
        "customer_id": customer["id"],
        "price_id": price["id"],
        "model": "flat_unit",
        "unit_price": "1",
    }
    api.make("/v1/price-overrides", override, "price_override")
    api.ingest(event("1"), event("2"))
    clock("2027-03-01T00:00:00Z")

    stays = report(ask(api, plan, at(metric, "9", id=price["id"])))
    replaced = report(ask(api, plan, at(metric, "9")))

    assert amounts(stays) == ("2.000000", "2.000000", "0.000000")
    assert amounts(replaced) == ("2.000000", "18.000000", "16.000000")


def test_a_price_on_another_metric_is_measured_for_the_past(api, sold):
    _, plan, _ = sold
    other = api.metric("api_call", name="other calls")

    told = report(ask(api, plan, at(other, "5")))

    assert amounts(told) == ("8.000000", "20.000000", "12.000000")


def test_a_period_that_was_paused_wholly_costs_nothing_either_way(api, clock):
    clock(START)
    _, metric, plan, subscription = api.subscribed_customer()
    path = f"/v1/subscriptions/{subscription['id']}"
    clock("2027-02-28T09:00:00Z")
    api.patch(path, json={"status": "paused"})
    clock("2027-04-02T00:00:00Z")

    told = report(ask(api, plan, at(metric, "9", flat_fee="5"), base_fee="100"))

    assert amounts(told) == ("0.000000", "0.000000", "0.000000")
    assert told["periods"] == 1


def test_without_a_full_period_the_report_is_empty(api):
    _, metric, plan, _ = api.subscribed_customer()

    told = report(ask(api, plan, at(metric, "9")))

    assert (told["periods"], told["customers"]) == (0, [])


@pytest.mark.parametrize(
    ("fields", "status", "field"),
    [
        ({"plan_id": str(uuid4())}, 404, "plan_id"),
        ({"plan_id": "nonsense"}, 404, "plan_id"),
        ({"customer_ids": ["c1", "nobody"]}, 404, "customer_ids[1]"),
        ({"base_fee": "-1"}, 400, "base_fee"),
        ({"from": START}, 400, "to"),
        ({"to": START}, 400, "from"),
        ({"from": START, "to": START}, 400, "to"),
        ({"from": START, "to": "2028-02-02T10:00:00Z"}, 400, "to"),
        ({"from": "2099-01-01T00:00:00Z", "to": "2099-02-01T00:00:00Z"}, 400, "from"),
        ({"prices": [{"metric_id": str(uuid4()), "model": "flat_unit"}]}, 400, None),
        (
            {"prices": [{"metric_id": str(uuid4()), "model": "flat_unit", "unit_price": "1"}]},
            404,
            "prices[0].metric_id",
        ),
        ({"prices": None}, 400, "prices"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(api, sold, fields, status, field):
    metric, plan, _ = sold
    body = {"plan_id": plan["id"], "prices": [at(metric, "1")], **fields}

    response = api.post("/v1/plans/simulate", json=body)

    assert response.status_code == status, response.text
    assert field is None or field in response.json()["details"]


def test_a_price_id_must_be_one_of_the_plans(api, sold):
    metric, plan, _ = sold

    response = ask(api, plan, at(metric, "1", id=str(uuid4())))

    assert (response.status_code, list(response.json()["details"])) == (400, ["prices[0].id"])


def test_many_subscriptions_become_a_job_with_the_same_report(api, sold, monkeypatch):
    metric, plan, _ = sold
    at_once = report(ask(api, plan, at(metric, "2.5"), base_fee="1"))
    monkeypatch.setattr(simulation, "INLINE_SUBSCRIPTIONS_MAX", 1)
    monkeypatch.setattr(simulation, "PAGE_SIZE", 1)

    response = ask(api, plan, at(metric, "2.5"), base_fee="1")
    queued = response.json()["simulation"]
    done = work(api, queued["id"])

    assert (response.status_code, queued["status"], queued["report"]) == (202, "pending", None)
    assert (done["status"], done["subscriptions_done"]) == ("completed", 2)
    assert done["report"] == at_once


def test_an_interrupted_job_starts_again_and_counts_nothing_twice(api, sold, monkeypatch):
    metric, plan, _ = sold
    monkeypatch.setattr(simulation, "INLINE_PERIODS_MAX", 1)
    monkeypatch.setattr(simulation, "PAGE_SIZE", 1)
    queued = ask(api, plan, at(metric, "3")).json()["simulation"]
    stop = asyncio.Event()
    some = simulation_job.simulate_some

    async def then_stop(*arguments):
        stop.set()
        return await some(*arguments)

    monkeypatch.setattr(simulation_job, "simulate_some", then_stop)
    with pytest.raises(TryLaterError):
        work(api, queued["id"], stop)
    halfway = api.get(f"/v1/plans/simulations/{queued['id']}").json()["simulation"]
    monkeypatch.setattr(simulation_job, "simulate_some", some)
    done = work(api, queued["id"])

    assert (halfway["status"], halfway["subscriptions_done"]) == ("processing", 1)
    assert (done["subscriptions_done"], *amounts(done["report"])) == (
        2,
        "8.000000",
        "12.000000",
        "4.000000",
    )
    assert work(api, queued["id"]) == done


def test_a_failed_job_says_why(api, sold, monkeypatch):
    metric, plan, _ = sold
    monkeypatch.setattr(simulation, "INLINE_PERIODS_MAX", 0)
    queued = ask(api, plan, at(metric, "3")).json()["simulation"]

    async def fail(*_arguments):
        raise ValueError

    monkeypatch.setattr(simulation_job, "simulate_some", fail)
    done = work(api, queued["id"])

    assert (done["status"], done["error_message"]) == ("failed", "internal error")


def test_only_so_many_wait_and_only_so_much_is_simulated(api, sold, monkeypatch):
    metric, plan, _ = sold
    monkeypatch.setattr(simulation, "INLINE_PERIODS_MAX", 0)
    monkeypatch.setattr(simulation, "UNFINISHED_MAX", 1)
    ask(api, plan, at(metric, "3"))

    one_more = ask(api, plan, at(metric, "3"))
    monkeypatch.setattr(simulation, "SUBSCRIPTIONS_MAX", 1)
    too_large = ask(api, plan, at(metric, "3"))

    assert (one_more.status_code, too_large.status_code) == (409, 409)
    assert "customer_ids" in too_large.json()["error"]


def test_a_report_tells_only_so_many_customers_and_says_so(api, sold, monkeypatch):
    metric, plan, _ = sold
    monkeypatch.setattr(simulation_rules, "REPORT_ROWS_MAX", 1)

    told = report(ask(api, plan, at(metric, "3")))

    assert (len(told["customers"]), told["truncated"]) == (1, True)
    assert amounts(told) == ("8.000000", "12.000000", "4.000000")


def test_another_tenants_simulation_is_unknown(api, backend, sold, monkeypatch):
    metric, plan, _ = sold
    monkeypatch.setattr(simulation, "INLINE_PERIODS_MAX", 0)
    queued = ask(api, plan, at(metric, "3")).json()["simulation"]

    with Api.of(backend, api.org_id, is_test=False) as live, Api.of_new_organization(backend) as b:
        answers = [
            other.get(f"/v1/plans/simulations/{queued['id']}").status_code for other in (live, b)
        ]
        asked = [ask(other, plan, at(metric, "3")).status_code for other in (live, b)]

    assert (answers, asked) == ([404, 404], [404, 404])


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("status = 'done'", "plan_simulations_status_known"),
        ("completed_at = now()", "plan_simulations_ended_has_its_time"),
        ("report = '{}'", "plan_simulations_completed_has_its_report"),
        ("error_message = 'why'", "plan_simulations_failed_says_why"),
        ("subscriptions_done = -1", "plan_simulations_counts_not_negative"),
    ],
)
def test_the_database_refuses_a_simulation_that_can_not_be(
    api, sold, monkeypatch, change, constraint
):
    metric, plan, _ = sold
    monkeypatch.setattr(simulation, "INLINE_PERIODS_MAX", 0)
    ask(api, plan, at(metric, "3"))

    with pytest.raises(asyncpg.CheckViolationError) as caught:
        api.backend.sql(f"UPDATE plan_simulations SET {change} WHERE org_id = $1", api.org_id)

    assert caught.value.constraint_name == constraint


def test_a_repeat_with_the_same_key_gets_the_same_report(api, sold):
    metric, plan, _ = sold
    body = {"plan_id": plan["id"], "prices": [at(metric, "2.5")], "base_fee": "1.5"}
    asking = {"json": body, "headers": {"Idempotency-Key": "what-if"}}

    first = api.post("/v1/plans/simulate", **asking)
    api.ingest(event("late", timestamp="2027-02-01T00:00:00Z"))
    second = api.post("/v1/plans/simulate", **asking)

    assert (first.status_code, first.json()) == (200, second.json())
    assert second.headers["idempotent-replayed"] == "true"


def test_a_repeat_with_the_same_key_is_no_second_job(api, sold, monkeypatch):
    monkeypatch.setattr(simulation, "INLINE_PERIODS_MAX", 0)
    metric, plan, _ = sold
    body = {"plan_id": plan["id"], "prices": [at(metric, "2.5")]}
    asking = {"json": body, "headers": {"Idempotency-Key": "what-if"}}

    first = api.post("/v1/plans/simulate", **asking)
    second = api.post("/v1/plans/simulate", **asking)

    assert (first.status_code, second.json()) == (202, first.json())
    count = "SELECT count(*) AS n FROM plan_simulations WHERE org_id = $1"
    assert api.backend.sql(count, api.org_id)[0]["n"] == 1


def test_a_repeat_prices_what_a_failed_request_meant_to(api, sold, monkeypatch):
    metric, plan, _ = sold
    body = {"plan_id": plan["id"], "prices": [at(metric, "2.5")], "base_fee": "1.5"}
    asking = {"json": body, "headers": {"Idempotency-Key": "what-if"}}

    async def fail(_tx, _planned):
        raise ConnectionError("the database went away")

    with monkeypatch.context() as away:
        away.setattr(invoicing, "price_at_once", fail)
        failed = api.post("/v1/plans/simulate", **asking)
    taken_over = api.post("/v1/plans/simulate", **asking)

    assert failed.status_code == 503
    assert report(taken_over) == report(ask(api, plan, *body["prices"], base_fee="1.5"))


def test_a_plan_that_is_deleted_meanwhile_is_unknown(api, sold, monkeypatch):
    metric, plan, _ = sold
    price_at_once = invoicing.price_at_once

    async def too_late(tx, planned):
        return await price_at_once(tx, replace(planned, plan_id=uuid4()))

    monkeypatch.setattr(invoicing, "price_at_once", too_late)
    answer = ask(api, plan, at(metric, "2.5"))

    assert (answer.status_code, answer.json()["code"]) == (404, "plan_not_found")
