"""Work on many subjects that takes several transactions: claimed together, finished in parts."""

import asyncio
from datetime import timedelta

import pytest

from monigo.core.errors import InvariantError
from monigo.infra import agenda
from monigo.infra.agenda import Batches, claims
from support.agenda import Diary, Stepper, entries, put, waiting, work

HOUR = timedelta(hours=1)


@pytest.fixture
def tenant(api):
    return api.tenant


@pytest.fixture
def now(tenant, backend):
    """The present instant, which stays; the clock goes on when the tenant's test is over."""
    assert tenant
    return backend.clock.stand_still()


@pytest.fixture
def database(backend):
    return backend.services.database


def batches(size):
    return lambda steps: Batches(steps, size)


def test_a_batch_is_claimed_together_and_finished_in_parts(backend, tenant, now):
    seen = []

    async def in_parts(database, held, _stop):
        first, *others = held.subjects
        seen.append([first, *others])
        async with database.transaction(held.tenant) as tx:
            await held.finish(tx, [first])
        async with database.transaction(held.tenant) as tx:
            await held.finish(tx, again_at=dict.fromkeys(others[:1], now + HOUR))

    stepper = Stepper(in_parts, handler=batches(3))
    subjects = put(backend, tenant, stepper.kind, *[now - HOUR * hour for hour in (5, 4, 3, 2)])

    work(backend, tenant, stepper.task)

    assert seen == [subjects[:3], subjects[3:]]
    left = [(row["subject"], row["due_at"]) for row in entries(backend, tenant, stepper.kind)]
    assert left == [(subjects[1], now + HOUR)]


def test_of_a_batch_that_fails_each_is_tried_alone_and_one_is_set_aside(backend, tenant, now):
    done = []

    async def fail(database, held, _stop):
        async with database.transaction(held.tenant) as tx:
            await held.finish(tx)
            if failing in held.subjects or failing in seen_with(held):
                raise ValueError("at fault")
        done.extend(seen_with(held))

    def seen_with(held):
        return list(held._entries)  # noqa: SLF001 - what the batch had at first

    stepper = Stepper(fail, handler=batches(10))
    failing, *others = put(backend, tenant, stepper.kind, now - HOUR, now, now)

    work(backend, tenant, stepper.task)

    (entry,) = entries(backend, tenant, stepper.kind)
    assert sorted(done) == sorted(others)
    assert (entry["subject"], entry["reason"], entry["attempts"]) == (failing, "internal error", 1)


def test_a_lost_claim_undoes_what_the_whole_transaction_did(
    backend, database, tenant, now, monkeypatch
):
    monkeypatch.setattr(claims, "RENEW_SECONDS", 3600)
    begun, may_end, seen, half = asyncio.Event(), asyncio.Event(), [], Diary()

    async def late(known, held, _stop):
        is_late = not begun.is_set()
        begun.set()
        if is_late:
            await may_end.wait()
        async with known.transaction(held.tenant) as tx:
            seen.append(list(held.subjects))
            if is_late:
                await agenda.put(tx, half.kind, {held.subjects[0]: now})
            await held.finish(tx)

    stepper = Stepper(late, handler=batches(2))
    subjects = put(backend, tenant, stepper.kind, now - HOUR, now)

    async def beside():
        stalled = asyncio.create_task(agenda.work_off(database, stepper.task, tenant))
        await begun.wait()
        backend.clock.advance(seconds=claims.CLAIM_LASTS.total_seconds())
        await agenda.work_off(database, stepper.task, tenant)
        may_end.set()
        await stalled

    backend.run(beside())

    assert seen == [subjects, subjects]
    assert waiting(backend, tenant, half.kind) == waiting(backend, tenant, stepper.kind) == []


def test_two_workers_share_what_is_due(backend, database, tenant, now):
    seen = []

    async def note(known, held, _stop):
        seen.extend(held.subjects)
        await asyncio.sleep(0)
        async with known.transaction(held.tenant) as tx:
            await held.finish(tx)

    stepper = Stepper(note, handler=batches(3))
    subjects = put(backend, tenant, stepper.kind, *[now] * 20)

    async def beside():
        await asyncio.gather(*(agenda.work_off(database, stepper.task, tenant) for _ in range(4)))

    backend.run(beside())

    assert sorted(seen) == sorted(subjects)
    assert waiting(backend, tenant, stepper.kind) == []


@pytest.mark.parametrize("size", [0, 501])
def test_a_batch_has_a_limit(size):
    with pytest.raises(InvariantError):
        Batches(None, size)
