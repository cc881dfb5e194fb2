"""Work that takes several transactions: one worker has it at a time, and a lost claim undoes it."""

import asyncio
from datetime import timedelta

import pytest

from monigo.infra import agenda
from monigo.infra.agenda import claims as engine
from support.agenda import Diary, Stepper, entries, put, put_again, waiting, work

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


def finishing(seen, **options):
    """Work that is done at once, and finishes its claim."""

    async def steps(database, claim, _stop):
        seen.append(claim.subject)
        async with database.transaction(claim.tenant) as tx:
            await claim.finish(tx, **options)

    return steps


def test_work_in_steps_is_done_once(backend, tenant, now):
    seen = []
    stepper = Stepper(finishing(seen))
    subjects = put(backend, tenant, stepper.kind, now - HOUR, now)
    put(backend, tenant, stepper.kind, now + HOUR)

    for _ in range(2):
        work(backend, tenant, stepper.task)

    assert (seen, len(waiting(backend, tenant, stepper.kind))) == (subjects, 1)


def test_it_may_come_again_later(backend, tenant, now):
    seen = []
    stepper = Stepper(finishing(seen, again_at=now + HOUR))
    (subject,) = put(backend, tenant, stepper.kind, now)

    work(backend, tenant, stepper.task)

    (entry,) = entries(backend, tenant, stepper.kind)
    assert (seen, entry["due_at"], entry["claimed_until"]) == ([subject], now + HOUR, None)


def test_one_worker_has_it_at_a_time(backend, database, tenant, now):
    begun, may_end, seen = asyncio.Event(), asyncio.Event(), []

    async def slowly(known, claim, stop):
        begun.set()
        await may_end.wait()
        await finishing(seen)(known, claim, stop)

    stepper = Stepper(slowly)
    put(backend, tenant, stepper.kind, now)

    async def beside():
        working = asyncio.create_task(agenda.work_off(database, stepper.task, tenant))
        await begun.wait()
        await agenda.work_off(database, stepper.task, tenant)
        may_end.set()
        await working

    backend.run(beside())

    assert len(seen) == 1


def test_a_claim_lasts_while_its_process_lives(backend, database, tenant, now, monkeypatch):
    monkeypatch.setattr(engine, "RENEW_SECONDS", 0.02)
    begun, may_end, seen = asyncio.Event(), asyncio.Event(), []

    async def slowly(known, claim, stop):
        begun.set()
        await may_end.wait()
        await finishing(seen)(known, claim, stop)

    stepper = Stepper(slowly)
    (subject,) = put(backend, tenant, stepper.kind, now)

    async def beside():
        working = asyncio.create_task(agenda.work_off(database, stepper.task, tenant))
        await begun.wait()
        for _ in range(3):
            backend.clock.advance(seconds=10)
            await asyncio.sleep(0.2)
        await agenda.work_off(database, stepper.task, tenant)
        may_end.set()
        await working

    backend.run(beside())

    assert (seen, waiting(backend, tenant, stepper.kind)) == ([subject], [])


def test_what_a_dead_worker_had_is_taken_over_and_its_late_word_does_not_count(
    backend, database, tenant, now, monkeypatch
):
    monkeypatch.setattr(engine, "RENEW_SECONDS", 3600)
    begun, may_end, seen, half = asyncio.Event(), asyncio.Event(), [], Diary()

    async def late(known, claim, stop):
        if begun.is_set():
            await finishing(seen)(known, claim, stop)
            return
        begun.set()
        await may_end.wait()
        async with known.transaction(claim.tenant) as tx:
            await agenda.put(tx, half.kind, {claim.subject: now})
            await claim.finish(tx)

    stepper = Stepper(late)
    (subject,) = put(backend, tenant, stepper.kind, now)

    async def beside():
        stalled = asyncio.create_task(agenda.work_off(database, stepper.task, tenant))
        await begun.wait()
        await agenda.work_off(database, stepper.task, tenant)
        too_early = list(seen)
        backend.clock.advance(seconds=engine.CLAIM_LASTS.total_seconds())
        await agenda.work_off(database, stepper.task, tenant)
        may_end.set()
        await stalled
        return too_early

    assert backend.run(beside()) == []
    assert seen == [subject]
    assert waiting(backend, tenant, half.kind) == waiting(backend, tenant, stepper.kind) == []


@pytest.mark.parametrize("options", [{}, {"again_at": True}])
def test_what_is_put_anew_meanwhile_is_done_again(backend, database, tenant, now, options):
    if options:
        options = {"again_at": now + HOUR}
    seen = []

    async def put_meanwhile(known, claim, stop):
        if not seen:
            async with known.transaction(claim.tenant) as tx:
                await agenda.put(tx, stepper.kind, {claim.subject: now})
        await finishing(seen, **options)(known, claim, stop)

    stepper = Stepper(put_meanwhile)
    (subject,) = put(backend, tenant, stepper.kind, now)

    backend.run(agenda.work_off(database, stepper.task, tenant))

    assert seen == [subject, subject]


def test_one_that_fails_is_set_aside_and_stops_no_other(backend, tenant, now):
    seen = []

    async def fail(database, claim, stop):
        if claim.subject == failing:
            raise ValueError("at fault")
        await finishing(seen)(database, claim, stop)

    stepper = Stepper(fail)
    failing, other = put(backend, tenant, stepper.kind, now - HOUR, now)

    for _ in range(2):
        work(backend, tenant, stepper.task)

    (entry,) = entries(backend, tenant, stepper.kind)
    assert seen == [other]
    assert (entry["subject"], entry["reason"], entry["attempts"]) == (failing, "internal error", 1)


def test_what_was_not_finished_is_left_to_the_next_look(backend, tenant, now):
    seen = []

    async def stop_at_once(_database, claim, _stop):
        seen.append(claim.subject)

    stepper = Stepper(stop_at_once)
    (subject,) = put(backend, tenant, stepper.kind, now)

    for _ in range(2):
        work(backend, tenant, stepper.task)

    assert seen == [subject, subject]


def test_what_is_canceled_meanwhile_does_not_come_back(backend, tenant, now):
    async def cancel(known, claim, _stop):
        async with known.transaction(claim.tenant) as tx:
            await agenda.cancel(tx, stepper.kind, [claim.subject])

    stepper = Stepper(cancel)
    (subject,) = put(backend, tenant, stepper.kind, now)

    work(backend, tenant, stepper.task)

    assert waiting(backend, tenant, stepper.kind) == []
    put_again(backend, tenant, stepper.kind, {subject: now})
    assert waiting(backend, tenant, stepper.kind) == [subject]
