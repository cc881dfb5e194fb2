"""Usage of many at once: read a few rollups at a time, so that ingestion goes on beside it."""

import asyncio
import sys

import pytest

from monigo import subscriptions
from monigo.infra.db import Database
from monigo.subscriptions import UsageFilter
from monigo.subscriptions.usage import service as usage
from support.api import Api, event

MANY = 4 * usage.ROLLUPS_AT_ONCE


@pytest.fixture(scope="module")
def metered(backend):
    """Many customers with an event each of one metric; one piece of them has one of another."""
    names = [f"c-{number:03d}" for number in range(MANY)]
    few = names[: usage.ROLLUPS_AT_ONCE]
    with Api.of_new_organization(backend) as api:
        for name in names:
            api.customer(name)
        everybody, some = api.metric("everybody"), api.metric("some")
        api.ingest(*(event(f"a-{name}", name, "everybody") for name in names))
        api.ingest(*(event(f"b-{name}", name, "some") for name in few))
        yield api, everybody["id"], some["id"]


async def longest_stretch(work):
    """What some work comes to, and the most calls of functions between two turns of the loop."""
    calls = longest = 0

    def count(_frame, event, _argument):
        nonlocal calls
        calls += event == "call"

    async def take_turns():
        nonlocal calls, longest
        while True:
            longest, calls = max(longest, calls), 0
            await asyncio.sleep(0)

    other = asyncio.create_task(take_turns())
    sys.setprofile(count)
    try:
        return await work, longest
    finally:
        sys.setprofile(None)
        other.cancel()


def read(api, metric_id):
    """The rollups of a metric, and the longest stretch of reading them."""

    async def reading():
        async with Database.transaction(api.backend.services.database, api.tenant) as tx:
            return await subscriptions.read_usage(tx, UsageFilter(None, metric_id, None, None))

    return api.backend.run(longest_stretch(reading()))


def test_a_wide_question_holds_the_loop_no_longer_than_a_narrow_one(metered):
    api, everybody, some = metered
    read(api, some)  # What is known only after the first time would count for one of them.

    few, stretch_of_few = read(api, some)
    many, stretch_of_many = read(api, everybody)

    assert (len(few), len(many)) == (usage.ROLLUPS_AT_ONCE, MANY)
    assert stretch_of_many < 1.5 * stretch_of_few


def test_all_rollups_come_once(metered):
    api, everybody, some = metered

    told = api.get("/v1/usage").json()

    assert told.keys() == {"rollups", "count"}
    assert told["count"] == len(told["rollups"]) == MANY + usage.ROLLUPS_AT_ONCE
    assert len({one["id"] for one in told["rollups"]}) == told["count"]
    assert {one["metric_id"] for one in told["rollups"]} == {everybody, some}
    assert all((one["value"], one["event_count"]) == (1, 1) for one in told["rollups"])


@pytest.mark.parametrize(
    ("query", "field"), [({}, "customer_id"), ({"from": "2020-01-01"}, "from")]
)
def test_more_than_one_answer_holds_is_refused_and_not_cut(metered, monkeypatch, query, field):
    api, _, some = metered
    asked = {"metric_id": some, **query}
    monkeypatch.setattr(usage, "ROLLUPS_MAX", usage.ROLLUPS_AT_ONCE - 1)

    refused = api.get("/v1/usage", params=asked)

    assert (refused.status_code, list(refused.json()["details"])) == (400, [field])


def test_exactly_as_much_as_one_answer_holds_is_told(metered, monkeypatch):
    api, _, some = metered
    monkeypatch.setattr(usage, "ROLLUPS_MAX", usage.ROLLUPS_AT_ONCE)

    told = api.get("/v1/usage", params={"metric_id": some}).json()

    assert told["count"] == usage.ROLLUPS_AT_ONCE
