"""The test clock by its routes: what a merchant sees of test time."""

import asyncio
import time
from datetime import datetime, timedelta

import pytest

from monigo import tenancy
from monigo.api.merchant.test_clock import routes
from monigo.bootstrap import Services
from monigo.core.times import format_instant
from monigo.test_mode import clock as test_clock
from support.agenda import Diary, put
from support.api import Api, event

DAY = timedelta(days=1)
ADVANCE = "/v1/test-clock/advance"


class Slow(Diary):
    """Work that takes its time."""

    async def work(self, tx, entries):
        await asyncio.sleep(2)
        return await super().work(tx, entries)


class Stubborn(Diary):
    """Work that is never done."""

    async def work(self, _tx, entries):
        return [entry.subject for entry in entries]


@pytest.fixture
def soon(backend):
    """A day from now."""
    return backend.clock.now().replace(microsecond=0) + DAY


def to(instant):
    return {"to": format_instant(instant)}


def test_test_time_is_real_and_ready_at_first(api, backend):
    clock = api.get("/v1/test-clock").json()

    assert clock["status"] == "ready"
    assert abs(datetime.fromisoformat(clock["now"]) - backend.clock.now()) < timedelta(minutes=1)


def test_an_advanced_clock_stands_at_its_target(api, soon):
    answer = api.post(ADVANCE, json=to(soon))

    expected = {"now": format_instant(soon), "status": "ready", "failure": ""}
    assert (answer.status_code, answer.json()) == (200, expected)
    assert api.get("/v1/test-clock").json() == expected


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"to": None},
        {"to": ""},
        {"to": "tomorrow"},
        {"to": 1},
        {"to": "2027-02-30T00:00:00Z"},
        {"to": "2020-01-01T00:00:00Z"},
        {"to": "2900-01-01T00:00:00Z"},
        {"to": "0001-01-01T00:00:00Z"},
    ],
)
def test_a_bad_target_is_named(api, body):
    answer = api.post(ADVANCE, json=body)

    assert (answer.status_code, list(answer.json()["details"])) == (400, ["to"])


def test_the_clock_goes_forward_only(api, soon):
    api.post(ADVANCE, json=to(soon))

    answers = [api.post(ADVANCE, json=to(instant)) for instant in (soon, soon - DAY)]

    assert [answer.status_code for answer in answers] == [400, 400]


def test_a_live_key_is_refused(backend, soon):
    with Api.of_new_organization(backend, is_test=False) as live:
        answers = [live.get("/v1/test-clock"), live.post(ADVANCE, json=to(soon))]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert "test key" in answers[0].json()["error"]


def test_advancing_needs_the_scope_write(api, backend, soon):
    with Api.of(backend, api.org_id, is_test=True, scopes=[tenancy.Scope.READ]) as reader:
        refused = reader.post(ADVANCE, json=to(soon))
        read = reader.get("/v1/test-clock")

    assert (refused.status_code, read.status_code) == (403, 200)


def settle(api):
    """Return when the clock has arrived."""
    deadline = time.monotonic() + 30
    while api.get("/v1/test-clock").json()["status"] == "advancing":
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_after_the_wait_the_answer_is_202_and_the_clock_goes_on(api, soon, monkeypatch):
    slow = Slow()
    put(api.backend, api.tenant, slow.kind, soon)
    monkeypatch.setattr(Services, "clock_tasks", (slow.task,))
    monkeypatch.setattr(routes, "WAIT_SECONDS", 0.1)
    target = soon + DAY

    accepted = api.post(ADVANCE, json=to(target), headers={"Idempotency-Key": "one"})
    refused = api.post(ADVANCE, json=to(target))
    repeated = api.post(ADVANCE, json=to(target), headers={"Idempotency-Key": "one"})
    settle(api)

    assert (accepted.status_code, accepted.json()["status"]) == (202, "advancing")
    assert refused.status_code == 409
    assert (repeated.status_code, repeated.headers["Idempotent-Replayed"]) == (202, "true")
    arrived = {"now": format_instant(target), "status": "ready", "failure": ""}
    assert api.get("/v1/test-clock").json() == arrived


def test_a_repeat_is_answered_as_the_first_was(api, soon):
    headers = {"Idempotency-Key": "one"}

    first = api.post(ADVANCE, json=to(soon), headers=headers)
    repeated = api.post(ADVANCE, json=to(soon), headers=headers)
    other = api.post(ADVANCE, json=to(soon + DAY), headers=headers)

    assert (repeated.status_code, repeated.json()) == (200, first.json())
    assert repeated.headers["Idempotent-Replayed"] == "true"
    assert other.status_code == 422


def test_a_clock_that_fails_says_so(api, soon, monkeypatch):
    monkeypatch.setattr(test_clock, "HELD_SECONDS", 0)
    stubborn = Stubborn()
    put(api.backend, api.tenant, stubborn.kind, soon)
    monkeypatch.setattr(Services, "clock_tasks", (stubborn.task,))

    answer = api.post(ADVANCE, json=to(soon + DAY))

    assert (answer.status_code, "stays due" in answer.json()["error"]) == (500, True)
    assert api.get("/v1/test-clock").json()["status"] == "failed"


def test_events_are_taken_by_test_time_and_keys_go_by_real_time(api, backend, soon):
    far = soon + 100 * DAY
    metric = api.metric()
    api.customer()
    api.post(ADVANCE, json=to(far))
    backend.run(
        tenancy.issue_key(
            backend.services.database,
            api.org_id,
            name="expires in test time, not in real time",
            is_test_mode=True,
            expires_at=soon,
        )
    )

    api.ingest(event("untimed"), event("recent", timestamp=format_instant(far - DAY)))
    too_old = api.post(
        "/v1/ingest", json={"events": [event("old", timestamp=format_instant(soon))]}
    )
    found = api.get("/v1/events", params={"event_name": "api_call"})

    assert too_old.status_code == 400
    assert metric["id"]
    assert found.status_code == 200
    assert format_instant(far) in found.text


def test_what_is_made_bears_the_time_of_its_mode(api, backend, soon):
    api.post(ADVANCE, json=to(soon))

    with Api.of(backend, api.org_id, is_test=False) as live:
        made = {"test": api.customer()["created_at"], "live": live.customer()["created_at"]}

    assert made["test"] == format_instant(soon)
    assert datetime.fromisoformat(made["live"]) < soon
