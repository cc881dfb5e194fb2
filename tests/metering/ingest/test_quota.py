"""The month's quota counts what is new, whatever comes at the same moment."""

import asyncio

import pytest

from monigo import tenancy
from monigo.core.errors import DomainError
from monigo.metering import Event, Ingestor
from monigo.metering.ingest import ingestion, quota, store
from monigo.tenancy import KeyReference
from support.api import Api, event


class Shop:
    """Ingests batches by itself, and can hold one right before it is stored."""

    def __init__(self, api: Api, monthly_event_quota: int, monkeypatch):
        api.customer()
        api.patch("/v1/organization", json={"monthly_event_quota": monthly_event_quota})
        services = api.backend.services
        issued = api.backend.run(
            tenancy.issue_key(services.database, api.org_id, name="shop", is_test_mode=True)
        )
        self.api = api
        self.caller = KeyReference(api.tenant, issued.key.id)
        self.quotas = quota.EventQuotas()
        monkeypatch.setattr(ingestion, "EventQuotas", lambda: self.quotas)
        # Its own limits, which are not known yet.
        self.ingestor = Ingestor(services.database, tenancy.Limits())
        self.is_held, self.may_go_on, self.is_waited_for = (asyncio.Event() for _ in range(3))
        self.held = ""
        self.fault = None
        monkeypatch.setattr(store, "insert_new_events", self._holding(store.insert_new_events))
        monkeypatch.setattr(quota.Gate, "empty", self._noticing(quota.Gate.empty))

    async def take(self, keys: str):
        """Keys that were new and those that were not, or the code of the refusal."""
        events = [Event("api_call", "c1", key) for key in keys]
        try:
            result = await self.ingestor.ingest(self.caller, events)
        except DomainError as error:
            return error.code
        return "".join(result.ingested), "".join(result.duplicates)

    def run(self, *batches: str):
        """What comes of batches one after the other."""

        async def run():
            return [await self.take(keys) for keys in batches]

        return self.api.backend.run(run())

    def run_during(self, held: str, *batches: str, fault: Exception | None = None):
        """What comes of a batch that others meet on its way, and of them."""

        async def run():
            self.held, self.fault = held, fault
            first = asyncio.create_task(self.take(held))
            await self.is_held.wait()
            others = [asyncio.create_task(self.take(keys)) for keys in batches]
            await self.is_waited_for.wait()
            self.may_go_on.set()
            return await asyncio.gather(first, *others, return_exceptions=True)

        return self.api.backend.run(run())

    def _holding(self, insert):
        async def insert_when_told(database, basis, rows, **when):
            if [event.idempotency_key for event in rows.events] == [*self.held]:
                self.held = ""
                self.is_held.set()
                await self.may_go_on.wait()
                if self.fault is not None:
                    raise self.fault
            return await insert(database, basis, rows, **when)

        return insert_when_told

    def _noticing(self, empty):
        async def notice(gate):
            self.is_waited_for.set()
            await empty(gate)

        return notice


@pytest.fixture
def shop(api, monkeypatch):
    return lambda quota: Shop(api, quota, monkeypatch)


def test_new_events_count_and_repeats_beside_them_do_not(shop):
    quick = shop(4)

    answers = quick.run("abc", "abcd", "abcde", "dcba", "e")

    assert answers == [
        ("abc", ""),
        ("d", "abc"),
        "event_quota_exceeded",
        ("", "dcba"),
        "event_quota_exceeded",
    ]


def test_repeats_inside_a_batch_count_once(shop):
    assert shop(2).run("xxyyx", "z") == [("xy", "xyx"), "event_quota_exceeded"]


def test_requests_of_one_transaction_are_each_told_by_themselves(shop):
    quick = shop(4)
    quick.run("ab")

    # They gather while the first one is on its way.
    answers = quick.run_during("c", "abz", "zz", "abw", "abc")

    assert answers == [
        ("c", ""),
        *(("z", "ab"), ("", "zz"), "event_quota_exceeded", ("", "abc")),
    ]


def test_repeats_need_no_room_where_more_was_taken_than_the_quota_allows(api, shop):
    api.customer("c0")
    api.ingest(*[event(key, "c0") for key in "abc"])

    answers = shop(2).run("abc", "ad", "ca", "d", "b")

    assert answers == [
        *(("", "abc"), "event_quota_exceeded", ("", "ca"), "event_quota_exceeded", ("", "b")),
    ]
    assert len(api.get("/v1/events").json()["events"]) == 3


def test_room_that_repeats_hold_for_a_moment_refuses_nobody(shop):
    quick = shop(6)
    quick.run("abc")

    answers = quick.run_during("cba", "xyz")

    assert answers == [("", "cba"), ("xyz", "")]
    assert quick.run("q") == ["event_quota_exceeded"]


def test_a_batch_that_is_being_stored_is_a_repeat_for_its_retry(shop):
    quick = shop(3)

    answers = quick.run_during("ab", "ab")

    assert answers == [("ab", ""), ("", "ab")]
    assert quick.run("cd", "c") == ["event_quota_exceeded", ("c", "")]


def test_what_was_not_stored_after_all_takes_no_room(shop):
    quick = shop(3)

    lost, waiting = quick.run_during("ab", "cd", fault=ValueError("broken"))

    assert isinstance(lost, ValueError)
    assert waiting == ("cd", "")
    assert quick.run("e", "f") == [("e", ""), "event_quota_exceeded"]


def test_nobody_waits_at_a_gate_that_is_left(shop):
    quick = shop(2)

    quick.run("ab", "c", "a")

    assert quick.quotas.gates == {}
