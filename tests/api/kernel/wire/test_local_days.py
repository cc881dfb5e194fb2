"""Days in place of times: midnight in the organisation's zone, everywhere but in events."""

import pytest

from support.api import Api, event

LAGOS = "Africa/Lagos"  # one hour ahead of UTC
# Skips its midnight of 6 September 2026: clocks go from 24:00 to 1:00.
SANTIAGO = "America/Santiago"
JANUARY = "2026-12-31T23:00:00Z"


@pytest.fixture
def lagos(api, clock):
    api.patch("/v1/organization", json={"timezone": LAGOS})
    clock("2026-12-15T12:00:00Z")
    return api


def starts(api, **query):
    answer = api.get("/v1/usage", params=query)
    assert answer.status_code == 200, answer.text
    return sorted(one["period_start"] for one in answer.json()["rollups"])


@pytest.mark.parametrize("face", ["/v1", "/api/v1"])
def test_usage_is_read_from_and_to_a_day_in_the_organisations_zone(lagos, clock, face):
    lagos.customer("c1")
    lagos.metric()
    lagos.ingest(event("1"))
    clock("2027-01-15T12:00:00Z")
    lagos.ingest(event("2"))

    def read(**query):
        rollups = lagos.get(f"{face}/usage", params=query).json()["rollups"]
        return [one["period_start"] for one in rollups]

    assert read(**{"from": "2027-01-01"}) == [JANUARY]
    assert read(**{"from": "2027-01-02"}) == []
    assert read(**{"from": "2026-12-01", "to": "2027-01-01"}) == ["2026-11-30T23:00:00Z"]
    assert len(read(**{"from": "2026-12-01", "to": "2027-01-02"})) == 2


def test_a_series_is_cut_at_days_in_the_organisations_zone(lagos):
    metric = lagos.metric()

    query = {"metric_id": metric["id"], "from": "2026-12-01", "to": "2026-12-03"}
    points = lagos.get("/v1/usage/series", params=query).json()["points"]

    assert [(one["start"], one["end"]) for one in points] == [
        ("2026-11-30T23:00:00Z", "2026-12-01T23:00:00Z"),
        ("2026-12-01T23:00:00Z", "2026-12-02T23:00:00Z"),
    ]


@pytest.mark.parametrize("path", ["/v1/events", "/v1/events/export"])
def test_events_are_listed_and_exported_by_days(lagos, path):
    lagos.customer("c1")
    for key, timestamp in (("before", "2026-12-09T22:59:59Z"), ("after", "2026-12-09T23:00:00Z")):
        lagos.ingest(event(key, timestamp=timestamp))

    since = lagos.get(path, params={"customer_id": "c1", "from": "2026-12-10"}).text
    until = lagos.get(path, params={"customer_id": "c1", "to": "2026-12-10"}).text

    assert ("after" in since, "before" in since) == (True, False)
    assert ("after" in until, "before" in until) == (False, True)


def test_a_subscription_begins_and_ends_at_midnight(lagos):
    lagos.customer("c1")
    plan = lagos.plan()

    subscription = lagos.subscribe("c1", plan["id"], start_date="2026-12-01", end_date="2027-02-01")

    assert subscription["start_date"] == "2026-11-30T23:00:00Z"
    assert subscription["end_date"] == "2027-01-31T23:00:00Z"


def test_an_override_is_valid_by_days(lagos):
    *_, plan, _ = lagos.subscribed_customer()
    price = plan["prices"][0]["id"]

    made = lagos.override("c1", price, valid_from="2027-01-01", valid_until="2027-02-01")
    path = f"/v1/price-overrides/{made['id']}"
    changed = lagos.put(path, json={"valid_until": "2027-03-01"}).json()["price_override"]

    assert (made["valid_from"], made["valid_until"]) == (JANUARY, "2027-01-31T23:00:00Z")
    assert changed["valid_until"] == "2027-02-28T23:00:00Z"


def test_credit_and_reservations_expire_at_midnight(lagos):
    lagos.customer("c1")
    wallet = lagos.wallet("c1", funds="10")
    body = {"amount": "1", "currency": "NGN", "idempotency_key": "k", "expires_at": "2026-12-16"}

    credit = lagos.post(f"/v1/wallets/{wallet['id']}/credits", json=body).json()["credit"]
    holding = {**body, "idempotency_key": "k2"}
    answer = lagos.post(f"/v1/wallets/{wallet['id']}/reservations", json=holding)
    held = answer.json()["reservation"]

    assert credit["expires_at"] == held["expires_at"] == "2026-12-15T23:00:00Z"


def test_a_replay_and_a_payment_are_told_by_days(lagos):
    *_, subscription = lagos.subscribed_customer()
    lagos.ingest(event("1"))
    invoice = lagos.finalize(lagos.draft(subscription["id"])["id"])

    window = {"from": "2026-12-01", "to": "2026-12-02"}
    job = lagos.post("/v1/events/replay", json=window).json()["job"]
    paid = lagos.post(
        f"/v1/invoices/{invoice['id']}/mark-paid",
        json={"reference": "bank", "paid_at": "2026-12-15"},
    ).json()

    assert job["from_timestamp"] == "2026-11-30T23:00:00Z"
    assert paid["invoice"]["paid_at"] == "2026-12-14T23:00:00Z"


def test_a_midnight_that_is_skipped_moves_forward(api):
    api.patch("/v1/organization", json={"timezone": SANTIAGO})
    metric = api.metric()

    query = {"metric_id": metric["id"], "from": "2026-09-06", "to": "2026-09-07"}
    (point,) = api.get("/v1/usage/series", params=query).json()["points"]

    assert (point["start"], point["end"]) == ("2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z")


def test_the_same_request_with_a_day_is_answered_from_its_record(lagos):
    lagos.customer("c1")
    body = {"customer_id": "c1", "plan_id": lagos.plan()["id"], "end_date": "2027-02-01"}
    key = {"Idempotency-Key": "once"}

    first = lagos.post("/v1/subscriptions", json=body, headers=key)
    again = lagos.post("/v1/subscriptions", json=body, headers=key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first.json()


def test_each_organisation_has_its_own_days(lagos, backend):
    plan = lagos.plan()
    lagos.customer("c1")
    with Api.of_new_organization(backend) as other:
        other.customer("c1")
        theirs = other.subscribe("c1", other.plan()["id"], end_date="2099-01-01")

    ours = lagos.subscribe("c1", plan["id"], end_date="2099-01-01")

    assert ours["end_date"] == "2098-12-31T23:00:00Z"
    assert theirs["end_date"] == "2099-01-01T00:00:00Z"


NO_DAYS = ["2026-02-30", "2026-13-01", "0000-01-01", "2026-1-1", "20260101", "2026-01", "today"]


@pytest.mark.parametrize("day", NO_DAYS)
@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/usage?from={}", "from"),
        ("/v1/usage?to={}", "to"),
        ("/v1/usage/series?metric_id=m&to={}", "to"),
        ("/v1/events?from={}", "from"),
        ("/v1/events/export?to={}", "to"),
    ],
)
def test_a_day_that_is_none_is_named(api, path, field, day):
    answer = api.get(path.format(day))

    assert (answer.status_code, list(answer.json()["details"])) == (400, [field])


@pytest.mark.parametrize("field", ["start_date", "end_date"])
@pytest.mark.parametrize("day", NO_DAYS)
def test_a_day_that_is_none_is_named_in_bodies_too(api, field, day):
    api.customer("c1")
    body = {"customer_id": "c1", "plan_id": api.plan()["id"], field: day}

    answer = api.post("/v1/subscriptions", json=body)

    assert (answer.status_code, list(answer.json()["details"])) == (400, [field])
    assert api.get("/v1/subscriptions").json()["total"] == 0


def test_a_day_at_the_calendars_edge_is_a_day(api):
    api.patch("/v1/organization", json={"timezone": "America/New_York"})

    answers = [api.get("/v1/events", params={"to": day}) for day in ("9999-12-31", "0001-01-02")]

    assert [one.status_code for one in answers] == [200, 200]


@pytest.mark.parametrize("timestamp", ["2026-12-15", "2026-12-14"])
def test_an_event_needs_a_time(lagos, timestamp):
    lagos.customer("c1")

    answer = lagos.post("/v1/ingest", json={"events": [event("1", timestamp=timestamp)]})

    assert (answer.status_code, list(answer.json()["details"])) == (400, ["events[0].timestamp"])
