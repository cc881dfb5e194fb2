"""Limits of an organisation: requests per second, and events per month."""

import time

import pytest

from monigo import metering
from monigo.core.rate import SECOND
from support.api import Api, event


class Stopwatch:
    """What limits and quotas measure seconds by: it stands still until a test moves it."""

    def __init__(self):
        self.now = time.monotonic_ns()

    def __call__(self):
        return self.now

    def pass_a_second(self):
        """Let settings and counts be read anew, and each rate be whole again."""
        self.now += SECOND


@pytest.fixture(autouse=True)
def stopwatch(backend, monkeypatch):
    """Settings are read once a second, and a rate refills: not by how busy the machine is."""
    watch = Stopwatch()
    monkeypatch.setattr(backend.services.limits, "_monotonic", watch)
    monkeypatch.setattr(backend.services.ingestor.quotas, "_monotonic", watch)
    return watch


@pytest.fixture
def limit(api, stopwatch):
    def set_limits(**settings):
        response = api.patch("/v1/organization", json=settings)
        assert response.status_code == 200, response.text
        stopwatch.pass_a_second()
        api.get("/v1/organization")

    return set_limits


def send(api, *keys):
    return api.post("/v1/ingest", json={"events": [event(key) for key in keys]})


def fold(backend):
    return backend.run(metering.fold_all(backend.services.database))


def test_nothing_is_limited_unless_told(api):
    known = api.get("/v1/organization").json()["organization"]

    response = api.get("/v1/customers")

    assert (known["requests_per_second_max"], known["monthly_event_quota"]) == (None, None)
    assert not [name for name in response.headers if name.startswith("ratelimit")]


@pytest.mark.parametrize(("path", "good"), [("/v1/customers", 200), ("/api/v1/customers", 200)])
def test_a_request_over_the_rate_is_told_when_to_come_again(api, limit, path, good):
    limit(requests_per_second_max=3)

    responses = [api.get(path) for _ in range(6)]

    assert [response.status_code for response in responses] == [good] * 3 + [429] * 3
    refused = responses[3:]
    assert refused[0].json() == {"error": "rate limit exceeded", "code": "rate_limited"}
    assert refused[0].headers["retry-after"] == "1"
    assert refused[0].headers["access-control-allow-origin"] == "*"
    assert refused[0].headers["ratelimit-policy"] == '"default";q=3;w=1'
    assert refused[0].headers["ratelimit"] == '"default";r=0;t=1'
    assert responses[0].headers["ratelimit-policy"] == '"default";q=3;w=1'


def test_ingestion_is_held_to_the_rate_too(api, limit, stopwatch):
    api.customer()
    limit(requests_per_second_max=2)

    responses = [send(api, f"k{number}") for number in range(6)]

    assert [response.status_code for response in responses] == [202] * 2 + [429] * 4
    stored = [response.json()["ingested"] for response in responses[:2]]
    stopwatch.pass_a_second()
    again = send(api, *(f"k{number}" for number in range(6)))
    assert again.json()["duplicates"] == [key for keys in stored for key in keys]


def test_each_key_has_a_rate_of_its_own(api, limit, backend):
    limit(requests_per_second_max=2)

    with Api.of(backend, api.org_id, is_test=True) as other:
        own = [api.get("/v1/customers").status_code for _ in range(4)]
        others = other.get("/v1/customers").status_code

    assert own == [200, 200, 429, 429]
    assert others == 200


def test_another_organisation_is_not_limited(limit, backend):
    limit(requests_per_second_max=1)

    with Api.of_new_organization(backend) as other:
        statuses = {other.get("/v1/customers").status_code for _ in range(5)}

    assert statuses == {200}


def test_null_lifts_a_limit_and_absence_keeps_it(api, limit):
    limit(requests_per_second_max=50, monthly_event_quota=7)

    kept = api.patch("/v1/organization", json={"name": "Kept"}).json()["organization"]
    lifted = api.patch("/v1/organization", json={"monthly_event_quota": None}).json()

    assert (kept["requests_per_second_max"], kept["monthly_event_quota"]) == (50, 7)
    assert lifted["organization"]["requests_per_second_max"] == 50
    assert lifted["organization"]["monthly_event_quota"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("requests_per_second_max", 0),
        ("requests_per_second_max", 1_000_001),
        ("requests_per_second_max", 1.5),
        ("requests_per_second_max", "5"),
        ("monthly_event_quota", -1),
        ("monthly_event_quota", 10**15 + 1),
        ("monthly_event_quota", True),
    ],
)
def test_a_limit_has_bounds(api, field, value):
    response = api.patch("/v1/organization", json={field: value})

    assert response.status_code == 400
    assert list(response.json()["details"]) == [field]


def test_a_batch_that_exceeds_the_quota_is_refused_whole(api, limit):
    api.customer()
    limit(monthly_event_quota=3)

    fits = send(api, "a", "b")
    exceeds = send(api, "c", "d")
    last = send(api, "e")

    assert (fits.status_code, exceeds.status_code, last.status_code) == (202, 402, 202)
    assert exceeds.json()["error"] == "event quota exceeded for this month"
    assert send(api, "f").status_code == 402


def test_repeats_need_no_quota(api, limit):
    api.customer()
    limit(monthly_event_quota=2)
    send(api, "a", "b")

    repeated = send(api, "a", "b", "a")

    assert repeated.status_code == 202
    assert repeated.json() == {"ingested": [], "duplicates": ["a", "b", "a"]}
    assert send(api, "a", "new").status_code == 402


@pytest.mark.parametrize("is_folded", [False, True])
def test_the_quota_counts_what_was_taken_before_it_was_set(api, limit, backend, is_folded):
    api.customer()
    send(api, "a", "b", "c")
    if is_folded:
        fold(backend)

    limit(monthly_event_quota=4)

    assert send(api, "d", "e").status_code == 402
    assert send(api, "d").status_code == 202


def test_modes_have_a_quota_each(api, limit, backend):
    api.customer()
    with Api.of(backend, api.org_id, is_test=False) as live:
        live.customer()
        limit(monthly_event_quota=1)

        statuses = [send(api, "a"), send(live, "a"), send(api, "b"), send(live, "b")]

    assert [response.status_code for response in statuses] == [202, 202, 402, 402]


def test_a_new_month_has_a_new_quota(api, limit, backend):
    api.customer()
    limit(monthly_event_quota=1)
    send(api, "a")
    refused = send(api, "b").status_code
    now = backend.clock.now()
    backend.clock.advance(days=32 - now.day)

    taken = send(api, "b").status_code

    assert (refused, taken) == (402, 202)


def test_folding_counts_each_month_of_reception(api, backend):
    api.customer()
    send(api, "a", "b")
    backend.clock.advance(days=32)
    send(api, "c", "a")

    fold(backend)

    rows = backend.sql(
        "SELECT event_count FROM event_counts WHERE org_id = $1 ORDER BY month", api.org_id
    )
    assert [row["event_count"] for row in rows] == [2, 1]
