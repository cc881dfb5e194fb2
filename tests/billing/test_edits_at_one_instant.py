"""A test clock stands still while plans are edited: order tells what came before, not time."""

import pytest

from support.api import event

START = "2027-01-01T00:00:00Z"
JANUARY, MARCH = "2027-01-15T10:20:30Z", "2027-03-01T00:00:00Z"


def offered(api, unit_price="1", **plan):
    """A plan with one price for each call."""
    known = {one["name"]: one["id"] for one in api.get("/v1/metrics").json()["metrics"]}
    metric_id = known.get("calls") or api.metric(name="calls")["id"]
    price = {"metric_id": metric_id, "model": "flat_unit", "unit_price": unit_price}
    return api.plan(price, **plan)


def edit(api, plan, apply_to, unit_price="5"):
    price = {**plan["prices"][0], "unit_price": unit_price}
    body = {"prices": [price], "apply_to": apply_to}
    answer = api.put(f"/v1/plans/{plan['id']}", json=body)
    assert answer.status_code == 200, answer.text


def unit_price(api, subscription):
    """What the running period is priced by."""
    api.ingest(event(f"{len(api.get('/v1/events').json()['events'])}"))
    (line,) = api.draft(subscription["id"])["line_items"]
    return line["unit_price"].removesuffix(".000000")


@pytest.fixture
def known(api, clock):
    clock(JANUARY)
    api.customer()
    return api


@pytest.mark.parametrize("apply_to", ["new", "next_period"])
@pytest.mark.parametrize("start", [JANUARY, None])
def test_an_edit_after_a_subscription_was_made_leaves_it_alone(known, apply_to, start):
    plan = offered(known)
    subscription = known.subscribe("c1", plan["id"], start_date=start)

    edit(known, plan, apply_to)

    assert unit_price(known, subscription) == "1"


@pytest.mark.parametrize("apply_to", ["new", "next_period"])
@pytest.mark.parametrize("start", [JANUARY, None])
def test_an_edit_before_a_subscription_is_made_holds_for_it(known, apply_to, start):
    plan = offered(known)
    edit(known, plan, apply_to)

    subscription = known.subscribe("c1", plan["id"], start_date=start)

    assert unit_price(known, subscription) == "5"


@pytest.mark.parametrize(("edited_first", "price"), [(True, "5"), (False, "1")])
def test_a_change_of_plan_takes_the_edits_from_before_it(known, clock, edited_first, price):
    first, second = offered(known), offered(known)
    subscription = known.subscribe("c1", first["id"])
    clock("2027-01-20T00:00:00Z")
    if edited_first:
        edit(known, second, "new")

    known.patch(f"/v1/subscriptions/{subscription['id']}", json={"plan_id": second["id"]})
    if not edited_first:
        edit(known, second, "new")

    assert unit_price(known, subscription) == price


def test_a_scheduled_plan_takes_the_edits_up_to_its_instant_and_none_after_it(api, clock):
    clock(START)
    api.customer()
    first, second = offered(api), offered(api)
    subscription = api.subscribe("c1", first["id"], start_date=START)
    api.patch(
        f"/v1/subscriptions/{subscription['id']}",
        json={"plan_id": second["id"], "apply_at": "period_end"},
    )
    edit(api, second, "new", "5")
    clock("2027-02-01T00:00:00Z")

    edit(api, second, "new", "7")

    assert unit_price(api, subscription) == "5"
    clock(MARCH)
    assert unit_price(api, subscription) == "5"


def test_an_edit_for_the_next_period_leaves_the_one_alone_that_begins_at_its_instant(api, clock):
    clock(START)
    api.customer()
    plan = offered(api, base_fee="10", base_fee_timing="in_advance")
    subscription = api.subscribe("c1", plan["id"], start_date=START)
    clock("2027-02-01T00:00:00Z")

    body = {"base_fee": "30", "apply_to": "next_period"}
    assert api.put(f"/v1/plans/{plan['id']}", json=body).status_code == 200
    edit(api, plan, "next_period")

    assert unit_price(api, subscription) == "1"
    clock(MARCH)
    totals = [one["total"] for one in api.get("/v1/invoices").json()["invoices"]]
    assert sorted(totals) == ["10.000000", "10.000000", "31.000000"]
    assert unit_price(api, subscription) == "5"
