"""A customer gets a plan's trial once."""

import pytest

START = "2027-01-31T10:00:00Z"
PATH = "/v1/subscriptions"


def end(api, subscription):
    api.patch(f"{PATH}/{subscription['id']}", json={"status": "canceled"})


def delete(api, subscription):
    api.delete(f"{PATH}/{subscription['id']}")


def pause(api, subscription):
    api.patch(f"{PATH}/{subscription['id']}", json={"status": "paused"})


@pytest.fixture
def plan(api, clock):
    """A plan with a trial of 14 days, and a customer; the clock is at the start."""
    clock(START)
    api.customer()
    return api.plan(trial_period_days=14)["id"]


@pytest.mark.parametrize("make_room", [end, delete, pause])
def test_a_second_subscription_to_the_plan_has_no_trial(api, clock, plan, make_room):
    first = api.subscribe("c1", plan)
    clock("2027-02-01T00:00:00Z")
    make_room(api, first)
    clock("2027-03-01T10:00:00Z")

    second = api.subscribe("c1", plan)

    assert first["trial_ends_at"] == "2027-02-14T10:00:00Z"
    assert second["trial_ends_at"] is None
    assert second["current_period_end"] == "2027-04-01T10:00:00Z"


def test_another_plan_and_another_customer_have_theirs(api, plan):
    end(api, api.subscribe("c1", plan, start_date="2027-01-30T00:00:00Z"))
    other = api.plan(trial_period_days=7)["id"]
    api.customer("c2")

    assert api.subscribe("c1", other)["trial_ends_at"] == "2027-02-07T10:00:00Z"
    assert api.subscribe("c2", plan)["trial_ends_at"] == "2027-02-14T10:00:00Z"


def test_a_trial_that_never_began_is_not_used_up(api, plan):
    end(api, api.subscribe("c1", plan, start_date="2027-02-10T00:00:00Z"))

    assert api.subscribe("c1", plan)["trial_ends_at"] == "2027-02-14T10:00:00Z"


def test_a_change_of_plan_in_the_trial_leaves_it_the_first_plans(api, clock, plan):
    other = api.plan(trial_period_days=7)["id"]
    first = api.subscribe("c1", plan)
    clock("2027-02-01T00:00:00Z")
    api.patch(f"{PATH}/{first['id']}", json={"plan_id": other})
    end(api, first)
    clock("2027-02-02T00:00:00Z")
    again = api.subscribe("c1", plan)
    end(api, again)
    clock("2027-02-03T00:00:00Z")

    assert again["trial_ends_at"] is None
    assert api.subscribe("c1", other)["trial_ends_at"] == "2027-02-10T00:00:00Z"


def test_a_subscription_without_a_trial_uses_up_none(api, clock, plan):
    end(api, api.subscribe("c1", plan, trial_period_days=0))
    clock("2027-02-01T10:00:00Z")

    assert api.subscribe("c1", plan)["trial_ends_at"] == "2027-02-15T10:00:00Z"


def test_the_organisation_may_allow_more(api, plan):
    api.patch("/v1/organization", json={"repeated_trials_enabled": True})
    end(api, api.subscribe("c1", plan, start_date="2027-01-30T00:00:00Z"))

    assert api.subscribe("c1", plan)["trial_ends_at"] == "2027-02-14T10:00:00Z"


@pytest.mark.parametrize(
    ("days", "ends_at"),
    [(0, None), (3, "2027-02-03T10:00:00Z"), (30, "2027-03-02T10:00:00Z")],
)
def test_a_subscription_may_say_how_long_its_trial_is(api, plan, days, ends_at):
    first = api.subscribe("c1", plan, trial_period_days=days)
    end(api, first)
    second = api.subscribe("c1", plan, trial_period_days=days)

    assert [first["trial_ends_at"], second["trial_ends_at"]] == [ends_at, ends_at]


def test_a_plan_without_a_trial_is_tried_when_the_subscription_says_so(api, clock):
    clock(START)
    subscription = api.subscribe(api.customer()["id"], api.plan()["id"], trial_period_days=5)

    assert subscription["trial_ends_at"] == "2027-02-05T10:00:00Z"
    assert subscription["current_period_end"] == "2027-02-05T10:00:00Z"


@pytest.mark.parametrize("days", [-1, 731, 1.5, "14", True])
def test_a_bad_number_of_days_is_refused_like_a_plans(api, plan, days):
    body = {"customer_id": "c1", "plan_id": plan, "trial_period_days": days}

    refused = api.post(PATH, json=body)

    assert refused.status_code == 400
    assert list(refused.json()["details"]) == ["trial_period_days"]
    assert api.get(PATH).json()["total"] == 0
