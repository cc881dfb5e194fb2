"""`cancel_at_period_end`: a subscription ends with the period that ran when the flag was set."""

import pytest

from support.api import event
from support.pauses import pause_for_balance, pause_for_dunning
from support.verification import faults

START, END = "2027-01-31T10:00:00Z", "2027-02-28T10:00:00Z"
PATH = "/v1/subscriptions"


@pytest.fixture(autouse=True)
def verified(api, backend):
    """Each of these stories ends with all that is due being noted."""
    yield
    assert faults(backend, api.tenant) == []


def change(api, subscription, **body):
    answer = api.patch(f"{PATH}/{subscription['id']}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["subscription"]


def read(api, subscription):
    return api.get(f"{PATH}/{subscription['id']}").json()["subscription"]


def totals(api):
    invoices = api.get("/v1/invoices").json()["invoices"]
    return [(item["kind"], item["total"]) for item in reversed(invoices)]


def use(api, count=5):
    api.ingest(*(event(f"{count}-{number}") for number in range(count)))


def pause_by_merchant(api, _backend, subscription):
    change(api, subscription, status="paused")


PAUSES = [pause_by_merchant, pause_for_balance, pause_for_dunning]


@pytest.mark.parametrize("pausing", PAUSES)
def test_it_ends_in_a_pause_too(api, backend, clock, pausing):
    clock(START)
    *_, subscription = api.subscribed_customer(unit_price="1")
    use(api)
    flagged = change(api, subscription, cancel_at_period_end=True)
    clock("2027-02-10T10:00:00Z")
    pausing(api, backend, subscription)

    clock("2027-05-01T00:00:00Z")

    ended = read(api, subscription)
    assert (flagged["cancel_at_period_end"], flagged["cancel_at"]) == (True, END)
    assert (ended["status"], ended["canceled_at"]) == ("canceled", END)
    assert totals(api) == [("closing", "5.000000")]


@pytest.mark.parametrize("pausing", [None, *PAUSES])
def test_in_a_trial_it_ends_with_the_trial_unbilled(api, backend, clock, pausing):
    clock(START)
    customer, metric = api.customer(), api.metric()
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"}
    plan = api.plan(price, trial_period_days=14, base_fee="50", base_fee_timing="in_advance")
    subscription = api.subscribe(customer["id"], plan["id"])
    use(api)
    flagged = change(api, subscription, cancel_at_period_end=True)
    if pausing:
        pausing(api, backend, subscription)

    clock("2027-05-01T00:00:00Z")

    assert flagged["cancel_at"] == "2027-02-14T10:00:00Z"
    assert read(api, subscription)["canceled_at"] == "2027-02-14T10:00:00Z"
    assert totals(api) == []


def test_the_flag_set_in_a_pause_means_the_period_that_runs_then(api, clock):
    clock(START)
    *_, subscription = api.subscribed_customer(unit_price="1")
    use(api)
    change(api, subscription, status="paused")
    clock("2027-03-10T10:00:00Z")

    flagged = change(api, subscription, cancel_at_period_end=True)
    again = change(api, subscription, cancel_at_period_end=True)
    clock("2027-05-01T00:00:00Z")

    assert flagged["cancel_at"] == again["cancel_at"] == "2027-03-31T10:00:00Z"
    assert read(api, subscription)["canceled_at"] == "2027-03-31T10:00:00Z"


def test_withdrawing_clears_it(api, clock):
    clock(START)
    *_, subscription = api.subscribed_customer(unit_price="1")
    change(api, subscription, cancel_at_period_end=True)
    withdrawn = change(api, subscription, cancel_at_period_end=False)
    change(api, subscription, status="paused")

    clock("2027-05-01T00:00:00Z")

    assert (withdrawn["cancel_at_period_end"], withdrawn["cancel_at"]) == (False, None)
    assert read(api, subscription)["status"] == "paused"
    timeline = api.get(f"{PATH}/{subscription['id']}/timeline").json()["timeline"]
    assert [entry["event"] for entry in timeline] == [
        "created",
        "cancel_scheduled",
        "cancel_withdrawn",
        "paused",
    ]


def test_before_the_start_it_means_the_first_period(api, clock):
    clock("2027-01-01T00:00:00Z")
    customer, plan = api.customer(), api.plan()
    subscription = api.subscribe(customer["id"], plan["id"], start_date=START)

    assert change(api, subscription, cancel_at_period_end=True)["cancel_at"] == END


def test_an_end_date_that_comes_before_is_the_end(api, clock):
    clock(START)
    end = "2027-02-10T00:00:00Z"
    customer, plan = api.customer(), api.plan()
    subscription = api.subscribe(customer["id"], plan["id"], end_date=end)

    flagged = change(api, subscription, cancel_at_period_end=True)
    clock("2027-05-01T00:00:00Z")

    assert (flagged["cancel_at"], read(api, subscription)["canceled_at"]) == (end, end)


def test_it_is_not_waited_for_with_the_grace_time_of_a_period_before(api, clock):
    api.patch("/v1/organization", json={"event_ingestion_grace_period_hours": 72})
    clock("2027-03-03T00:00:00Z")
    customer, metric = api.customer(), api.metric()
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"}
    subscription = api.subscribe(customer["id"], api.plan(price, billing_period="daily")["id"])
    use(api)
    clock("2027-03-04T12:00:00Z")
    change(api, subscription, cancel_at_period_end=True)

    clock("2027-03-05T00:00:00Z")

    assert read(api, subscription)["canceled_at"] == "2027-03-05T00:00:00Z"
    assert totals(api) == [("closing", "5.000000"), ("closing", "0.000000")]


def test_a_new_plan_does_not_move_the_end(api, clock):
    clock(START)
    _, metric, _, subscription = api.subscribed_customer(unit_price="1")
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "10"}
    change(api, subscription, cancel_at_period_end=True)
    clock("2027-02-10T00:00:00Z")
    changed = change(api, subscription, plan_id=api.plan(price)["id"])
    use(api)

    clock("2027-05-01T00:00:00Z")

    assert changed["cancel_at"] == END
    assert read(api, subscription)["canceled_at"] == END
    assert totals(api) == [("closing", "0.000000"), ("closing", "50.000000")]


def test_the_upcoming_invoice_of_the_last_period_has_no_fee_of_a_next_one(api, clock):
    clock(START)
    plan = api.plan(base_fee="50", base_fee_timing="in_advance")
    subscription = api.subscribe(api.customer()["id"], plan["id"])
    path = f"{PATH}/{subscription['id']}/upcoming-invoice"
    going_on = api.get(path).json()["upcoming_invoice"]["total"]

    change(api, subscription, cancel_at_period_end=True)

    assert going_on == "50.000000"
    assert api.get(path).json()["upcoming_invoice"]["total"] == "0.000000"


def test_one_that_was_flagged_before_the_instant_was_kept_ends_with_its_open_period(
    api, backend, clock
):
    clock(START)
    *_, subscription = api.subscribed_customer(unit_price="1")
    use(api)
    backend.sql(
        "UPDATE subscriptions SET cancel_at_period_end = true WHERE org_id = $1", api.org_id
    )

    clock("2027-05-01T00:00:00Z")

    assert read(api, subscription)["canceled_at"] == END
    assert totals(api) == [("closing", "5.000000")]


def test_dunning_keeps_its_place_and_its_reason(api, backend, clock):
    clock(START)
    *_, plan, subscription = api.subscribed_customer()

    pause_for_dunning(api, backend, subscription)

    again = api.post(PATH, json={"customer_id": "c1", "plan_id": plan["id"]})
    assert read(api, subscription)["status"] == "suspended"
    assert again.status_code == 409


def test_one_that_no_worker_ended_in_time_is_canceled_at_its_end(api):
    *_, subscription = api.subscribed_customer()
    flagged = change(api, subscription, cancel_at_period_end=True)
    api.backend.clock.advance(days=40)

    canceled = change(api, subscription, status="canceled")

    assert canceled["canceled_at"] == flagged["cancel_at"]


def test_the_flag_is_not_withdrawn_after_the_end(api):
    *_, subscription = api.subscribed_customer()
    change(api, subscription, cancel_at_period_end=True)
    api.backend.clock.advance(days=40)

    refused = api.patch(f"{PATH}/{subscription['id']}", json={"cancel_at_period_end": False})

    assert refused.status_code == 409


def test_finalizing_the_last_period_before_a_worker_comes_bills_no_next_one(api):
    plan = api.plan(base_fee="50", base_fee_timing="in_advance")
    subscription = api.subscribe(api.customer()["id"], plan["id"])
    draft = api.draft(subscription["id"])
    flagged = change(api, subscription, cancel_at_period_end=True)
    api.backend.clock.advance(days=40)

    closing = api.finalize(draft["id"])

    assert (closing["kind"], closing["total"]) == ("closing", "0.000000")
    assert read(api, subscription)["canceled_at"] == flagged["cancel_at"]
