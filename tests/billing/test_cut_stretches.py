"""Subscriptions that overlapped before that was refused: the later one's stretches are cut."""

import pytest

from support.verification import faults

PATH = "/v1/subscriptions"


@pytest.fixture
def cut(api, clock):
    """An active subscription that has been there since before another one of the customer ended."""
    clock("2027-01-01T00:00:00Z")
    api.customer()
    plan = api.plan()["id"]
    first = api.subscribe("c1", plan)
    clock("2027-01-10T00:00:00Z")
    api.patch(f"{PATH}/{first['id']}", json={"status": "canceled"})
    second = api.subscribe("c1", plan)
    api.backend.sql(
        "UPDATE subscriptions SET start_date = '2027-01-02Z', closed_until = '2027-01-02Z',"
        " anchor_at = '2027-01-02Z', phase_started_at = '2027-01-02Z'"
        " WHERE org_id = $1 AND status = 'active'",
        api.org_id,
    )
    return second


def test_it_is_paused_resumed_and_canceled_like_any_other(api, clock, cut):
    answers = []
    for day, status in ((11, "paused"), (12, "active"), (13, "canceled")):
        clock(f"2027-01-{day}T00:00:00Z")
        answers.append(api.patch(f"{PATH}/{cut['id']}", json={"status": status}).status_code)

    assert answers == [200, 200, 200]


def test_verify_names_it_and_what_is_billable_twice(api, backend, cut):
    assert faults(backend, api.tenant) == [
        (
            "usage billable twice",
            cut["id"],
            '{["2027-01-02 00:00:00+00","2027-01-10 00:00:00+00")}',
            "",
        )
    ]
