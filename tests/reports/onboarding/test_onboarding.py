"""The first steps of an organisation: done by themselves, marked by hand, never undone."""

import asyncio

import pytest

from monigo.bootstrap import REGISTRY
from monigo.infra import registry
from monigo.infra.registry import Registry
from monigo.reports import Step, StepsTaken
from support.api import Api, event
from support.metering import fold
from support.payments import connect
from support.people import Person

PROGRESS = "/api/v1/onboarding/progress"
STEPS = [
    "customer",
    "metric",
    "plan",
    "subscription",
    "event",
    "invoice",
    "connection",
    "webhook",
    "live_key",
]


def done(api):
    """The steps that are done."""
    answer = api.get(PROGRESS)
    assert answer.status_code == 200, answer.text
    return {one["id"] for one in answer.json()["progress"]["steps"] if one["is_completed"]}


def nothing(_api):
    pass


def subscribe(api):
    api.subscribed_customer()


def send_event(api):
    api.customer()
    api.ingest(event("1"))


def send_event_and_fold(api):
    send_event(api)
    fold(api)


def bill(api):
    *_, subscription = api.subscribed_customer()
    api.ingest(event("1"))
    api.draft(subscription["id"])


@pytest.mark.parametrize(
    ("act", "steps"),
    [
        (nothing, set()),
        (lambda api: api.customer(), {"customer"}),
        (lambda api: api.metric(), {"metric"}),
        (lambda api: api.plan(), {"plan"}),
        (subscribe, {"customer", "metric", "plan", "subscription"}),
        (send_event, {"customer", "event"}),
        (send_event_and_fold, {"customer", "event"}),
        (connect, {"connection"}),
        (bill, {"customer", "metric", "plan", "subscription", "event", "invoice"}),
    ],
)
def test_a_step_is_done_by_itself_once_there_is_such_a_thing(api, act, steps):
    act(api)

    assert done(api) == steps


def test_all_steps_are_told_in_their_order_with_how_many_are_done(api):
    api.customer()

    told = api.get(PROGRESS).json()["progress"]

    assert [one["id"] for one in told["steps"]] == STEPS
    assert (told["completed"], told["total"], told["is_completed"]) == (1, 9, False)
    assert {tuple(one) for one in told["steps"]} == {
        ("id", "is_completed", "completed_at", "is_by_hand")
    }
    assert [one["completed_at"] is not None for one in told["steps"]] == [True] + [False] * 8


def test_what_is_done_in_one_mode_counts_in_the_other(api, backend):
    api.customer()

    with Api.of(backend, api.org_id, is_test=False) as live:
        live.metric()

        assert done(live) == {"customer", "metric"}
    assert done(api) == {"customer", "metric"}


def test_what_is_done_stays_done_whatever_is_deleted(api):
    customer = api.customer()
    first = api.get(PROGRESS).json()["progress"]["steps"][0]
    api.delete(f"/v1/customers/{customer['id']}")
    api.post("/v1/test-data/reset")

    assert api.get("/v1/customers").json()["count"] == 0
    assert api.get(PROGRESS).json()["progress"]["steps"][0] == first


def progress_of(person, org_id):
    answer = person.get("/onboarding/progress", params={"org_id": org_id})
    return {one["id"]: one["is_completed"] for one in answer.json()["progress"]["steps"]}


def test_the_live_key_that_an_organisation_is_born_with_counts_when_it_is_used(backend):
    with Person.signed_in(backend) as ada:
        founded = ada.found()
        org_id = founded["organization"]["id"]
        before = progress_of(ada, org_id)["live_key"]
        secret = next(one["key"] for one in founded["api_keys"] if not one["is_test_mode"])
        headers = {"Authorization": f"Bearer {secret}"}
        ada.http.get(f"{backend.url}/v1/customers", headers=headers)
        backend.run(backend.services.key_use.write())

        after = progress_of(ada, org_id)["live_key"]

    assert (before, after) == (False, True)


def test_another_live_key_counts_at_once(backend):
    with Person.signed_in(backend) as ada:
        org_id = ada.found()["organization"]["id"]
        body = {"org_id": org_id, "name": "billing", "scopes": ["read"], "is_test_mode": False}
        made = ada.post("/api-keys", json=body)

        assert made.status_code == 201
        assert progress_of(ada, org_id)["live_key"] is True


@pytest.mark.parametrize("step", STEPS)
def test_a_step_can_be_marked_by_hand(api, step):
    answer = api.post(f"/api/v1/onboarding/steps/{step}", json={"org_id": str(api.org_id)})

    marked = {
        one["id"]: one["is_by_hand"]
        for one in answer.json()["progress"]["steps"]
        if one["is_completed"]
    }
    assert answer.status_code == 200, answer.text
    assert marked == {step: True}
    assert done(api) == {step}


def test_a_step_that_was_done_by_itself_is_not_made_one_by_hand(api):
    api.customer()
    before = api.get(PROGRESS).json()

    api.post("/api/v1/onboarding/steps/customer")

    assert api.get(PROGRESS).json() == before


@pytest.mark.parametrize("step", ["customers", "CUSTOMER", "customer%00", "x" * 300, "live-key"])
def test_an_unknown_step_is_not_found(api, step):
    answer = api.post(f"/api/v1/onboarding/steps/{step}", json={})

    assert answer.status_code == 404
    assert done(api) == set()


def test_the_database_knows_the_steps(backend):
    told = backend.sql(
        "SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint"
        " WHERE conname = 'onboarding_steps_step_known'"
    )[0]["text"]

    assert [step for step in STEPS if f"'{step}'" in told] == [step.value for step in Step]


def test_all_steps_done_are_all_there_is(api):
    for step in STEPS:
        api.post(f"/api/v1/onboarding/steps/{step}")

    told = api.get(PROGRESS).json()["progress"]

    assert (told["completed"], told["is_completed"]) == (9, True)


def test_of_many_who_look_at_once_all_are_told_the_same(api):
    api.customer()

    async def look(_):
        return await asyncio.to_thread(api.get, PROGRESS)

    async def look_at_once():
        return await asyncio.gather(*map(look, range(8)))

    answers = [answer.json() for answer in asyncio.run(look_at_once())]

    assert answers == [answers[0]] * 8
    assert answers[0]["progress"]["completed"] == 1


async def connected(_tx, asked):
    """A domain above, which knows of payment connections."""
    return [Step.CONNECTION] if Step.CONNECTION in asked.open_steps else []


def test_domains_above_tell_of_their_steps(api, backend, monkeypatch):
    sources = {**REGISTRY.sources}
    sources[StepsTaken] = (*sources[StepsTaken], connected)
    known = Registry(
        guards=REGISTRY.guards,
        reactions=REGISTRY.reactions,
        subscribers=tuple(REGISTRY.subscribers.values()),
        sources=sources,
    )
    api.customer()

    with monkeypatch.context() as patched:
        patched.setattr(backend.services.database, "registry", known)
        during = done(api)

    assert during == {"customer", "connection"}
    assert done(api) == {"customer", "connection"}
    assert registry.registry_of(backend.services.database) is REGISTRY


@pytest.mark.parametrize(
    ("role", "statuses"),
    [("admin", (200, 200)), ("member", (200, 200)), ("viewer", (200, 403))],
)
def test_who_sees_everything_sees_steps_and_who_may_write_marks_them(backend, role, statuses):
    with Person.signed_in(backend) as ada, Person.signed_in(backend) as bola:
        org_id = ada.found()["organization"]["id"]
        ada.join(bola, org_id, role)
        seen = bola.get("/onboarding/progress", params={"org_id": org_id})
        marked = bola.post("/onboarding/steps/plan", json={"org_id": org_id})

    assert (seen.status_code, marked.status_code) == statuses


def test_steps_of_another_organisation_are_not_found(backend):
    with Person.signed_in(backend) as ada, Person.signed_in(backend) as bola:
        org_id = ada.found()["organization"]["id"]
        seen = bola.get("/onboarding/progress", params={"org_id": org_id})
        marked = bola.post("/onboarding/steps/plan", json={"org_id": org_id})

        assert (seen.status_code, marked.status_code) == (404, 404)
        assert progress_of(ada, org_id)["plan"] is False
