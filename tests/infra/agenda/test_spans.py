"""What is forgotten after its time: one entry for all of a span of time, and none too early."""

from datetime import timedelta

import pytest

from monigo import audit, invoicing, metering
from monigo.infra import agenda, idempotency, outbox
from monigo.infra.idempotency.requests import EXPIRY
from support.agenda import Diary, do, entries
from support.api import event

HOUR = timedelta(hours=1)
RECORDS = "SELECT count(*) AS count FROM idempotency_records WHERE org_id = $1"
EVENTS = """
    SELECT count(*) AS count FROM outbox_facts WHERE org_id = $1 AND published_as IS NOT NULL
"""
FACTS = """
    SELECT count(*) AS count FROM outbox_facts
    WHERE org_id = $1 AND is_test AND occurred_at < $2
"""
TYPES = """
    SELECT type FROM outbox_facts
    WHERE org_id = $1 AND is_test AND occurred_at < $2 AND type <> 'EntriesWritten'
"""
FORGET_EVENTS = metering.redaction_task(invoicing.open_from)


@pytest.fixture
def now(api, backend):
    """The present instant, which stays; the clock goes on when the organisation's test is over."""
    assert api
    return backend.clock.stand_still()


def count(api, query):
    return api.backend.sql(query, api.org_id)[0]["count"]


def make(api, key):
    """A request whose answer is kept, and of which nothing is told."""
    headers = {"Idempotency-Key": key}
    made = api.post("/v1/customers", json={"external_id": key}, headers=headers)
    assert made.status_code == 201


def test_one_entry_serves_all_of_a_span(api, backend, now):
    diary = Diary()

    async def put_three_times():
        async with backend.services.database.transaction(api.tenant) as tx:
            for minutes in (0, 1, 61):
                instant = now.replace(minute=0) + timedelta(minutes=minutes)
                await agenda.put_for_span(tx, diary.kind, instant, span=HOUR, after=2 * HOUR)

    backend.run(put_three_times())

    ends = [now.replace(minute=0, second=0, microsecond=0) + hours * HOUR for hours in (1, 2)]
    found = [row["due_at"] for row in entries(backend, api.tenant, diary.kind)]
    assert found == [end + 2 * HOUR + agenda.TRANSACTION_MAX for end in ends]


def put_in(tx, diary, instant):
    return agenda.put_for_span(tx, diary.kind, instant, span=HOUR, after=2 * HOUR)


def put_committed(api, backend, diary, instant):
    async def run():
        async with backend.services.database.transaction(api.tenant) as tx:
            await put_in(tx, diary, instant)

    backend.run(run())


def test_a_transaction_that_failed_is_not_taken_to_have_put_an_entry(api, backend, now):
    diary = Diary()

    async def fail():
        async with backend.services.database.transaction(api.tenant) as tx:
            await put_in(tx, diary, now)
            await put_in(tx, diary, now)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        backend.run(fail())
    put_committed(api, backend, diary, now)

    assert len(entries(backend, api.tenant, diary.kind)) == 1


def test_what_was_undone_to_a_savepoint_is_not_taken_to_be_there(api, backend, now):
    diary = Diary()

    async def undo():
        async with backend.services.database.transaction(api.tenant) as tx:
            await tx.savepoint()
            await put_in(tx, diary, now)
            await tx.rollback_to_savepoint()

    backend.run(undo())
    put_committed(api, backend, diary, now)

    assert len(entries(backend, api.tenant, diary.kind)) == 1


def test_an_entry_that_is_known_is_put_anew_once_it_is_due(api, backend, now):
    """Until then nobody takes it off; afterwards somebody may have."""
    diary = Diary()
    put_committed(api, backend, diary, now)
    backend.sql("DELETE FROM agenda WHERE org_id = $1 AND kind = $2", api.org_id, diary.kind.name)
    put_committed(api, backend, diary, now)
    while_it_waits = entries(backend, api.tenant, diary.kind)
    backend.clock.advance(hours=4)

    put_committed(api, backend, diary, now)

    assert while_it_waits == []
    assert len(entries(backend, api.tenant, diary.kind)) == 1


def test_answers_are_forgotten_a_day_after_they_were_kept(api, backend):
    make(api, "one")
    backend.clock.advance(hours=24)
    do(api, idempotency.FORGET)
    at_first = count(api, RECORDS)
    backend.clock.advance(hours=3)

    do(api, idempotency.FORGET)

    assert (at_first, count(api, RECORDS)) == (1, 0)
    assert entries(backend, api.tenant, EXPIRY) == []


def test_who_kept_nothing_has_nothing_to_forget(api, backend):
    api.customer()

    assert entries(backend, api.tenant, EXPIRY) == []


def test_what_happened_is_forgotten_by_the_tenants_time(api, backend, clock):
    clock("2027-01-01T00:00:00Z")
    api.subscribed_customer()
    at_first = count(api, EVENTS)
    clock("2027-03-31T00:00:00Z")
    after_ninety_days = count(api, EVENTS)
    begun = backend.clock.now().replace(year=2027, month=1, day=2)
    backend.run(outbox.deliver_all(backend.services.database, audit.CHAIN, api.tenant))
    of_then = [row["type"] for row in backend.sql(TYPES, api.org_id, begun)]

    clock("2027-05-15T00:00:00Z")

    assert (at_first, after_ninety_days >= at_first) == (1, True)
    assert of_then == ["SubscriptionCreated"], "what is not published is gone after a month"
    assert backend.sql(FACTS, api.org_id, begun)[0]["count"] == 0
    assert entries(backend, api.tenant, outbox.FORGET_PUBLISHED.kind) != []
    assert entries(backend, api.tenant, outbox.FORGET.kind) != []


def test_retention_looks_every_day_where_there_are_events(api, backend, now):
    api.subscribed_customer()
    before = entries(backend, api.tenant, metering.EVENT_RETENTION)
    api.ingest(event("1"))
    backend.run(metering.fold_all(backend.services.database))
    (first,) = entries(backend, api.tenant, metering.EVENT_RETENTION)
    backend.clock.advance(days=1)

    do(api, FORGET_EVENTS)

    (second,) = entries(backend, api.tenant, metering.EVENT_RETENTION)
    assert before == []
    assert first["due_at"] == now + timedelta(days=1)
    assert second["due_at"] == now + timedelta(days=2)
