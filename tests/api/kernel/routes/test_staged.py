"""Staged routes: an intent, a call to the outside, a record; each once, whoever dies in between."""

import asyncio

import asyncpg
import httpx
import msgspec
import pytest

from monigo import tenancy
from monigo.api.kernel.routes import tenant as routes
from monigo.infra import idempotency
from monigo.infra.idempotency import RequestIdentity, staged
from support.errands import UNAVAILABLE, Errand, World, app_of, note

KEY = {"Idempotency-Key": "errand-1"}
PATH = "/v1/errands"
CALL = {"what": "call"}
REPLAYED = "idempotent-replayed"
DEAD = Errand("errand-of-the-dead", "call")
UNCLAIMED = "claimed_by = NULL, claimed_until = NULL"
LAPSE = staged.LAPSES_AFTER.total_seconds()

RECORDS = """
    SELECT status, intent, claimed_by, claimed_until FROM idempotency_records
    WHERE org_id = $1 AND is_test
"""
NOTED = "SELECT external_id, name FROM customers WHERE org_id = $1 ORDER BY external_id"


@pytest.fixture(scope="module")
def outside(backend):
    """A world, and an application that runs errands in it."""
    world = World()
    return world, app_of(backend.services, world)


@pytest.fixture
def world(outside):
    return outside[0]


@pytest.fixture
def tell(api, backend, outside):
    """Run a story on the server's loop; it is told with a function that posts an errand.

    Time passes where the story says so, and not while it takes long.
    """
    backend.clock.stand_still()
    world, app = outside
    world.begin()

    async def run(story):
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://test"
        ) as client:

            async def post(body=CALL, headers=KEY, secret=api.secret):
                told = {"Authorization": f"Bearer {secret}", **headers}
                return await client.post(PATH, json=body, headers=told)

            return await story(post)

    return lambda story: backend.run(run(story))


@pytest.fixture
def records(api, backend):
    return lambda: [dict(row) for row in backend.sql(RECORDS, api.org_id)]


@pytest.fixture
def noted(api, backend):
    return lambda: [tuple(row) for row in backend.sql(NOTED, api.org_id)]


async def repeated(post, times=2):
    return [await post() for _ in range(times)]


async def hanging(post, world, **request):
    """A request that has reached the outside, and hangs there."""
    world.reached.clear()
    world.gate.clear()
    task = asyncio.create_task(post(**request))
    await world.reached.wait()
    return task


async def die_outside(api, database):
    """Leave what a process leaves behind that dies outside: the errand, noted and claimed."""
    parts = (str(api.org_id), "True", "POST", PATH, KEY["Idempotency-Key"])
    known = RequestIdentity.of(parts, b'{"what":"call"}', api.backend.services.people.vault)
    async with database.transaction(api.tenant) as tx:
        await note(tx, DEAD)
        return await staged.claim(tx, known, msgspec.to_builtins(DEAD))


def test_what_was_noted_is_run_and_recorded_and_a_repeat_is_answered_alike(
    tell, world, records, noted
):
    first, second = tell(repeated)

    assert (first.status_code, second.status_code) == (201, 201)
    assert (second.content, second.headers[REPLAYED]) == (first.content, "true")
    assert REPLAYED not in first.headers
    assert noted() == [(first.json()["reference"], "call done")]
    assert len(world.asked) == 1
    assert records() == [{"status": 201, "intent": None, "claimed_by": None, "claimed_until": None}]


def test_the_outside_is_called_by_the_caller_in_no_transaction(tell, api, backend, world, noted):
    async def story(post):
        running = await hanging(post, world)
        open_transactions = await asyncio.to_thread(
            backend.sql,
            "SELECT 1 FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
            " AND datname = current_database()",
        )
        seen = await asyncio.to_thread(noted)
        world.gate.set()
        await running
        return open_transactions, seen

    open_transactions, seen = tell(story)

    assert open_transactions == []
    assert [name for _, name in seen] == ["noted"]
    ((_, principal),) = world.asked
    assert (principal.org_id, str(principal).startswith("api_key:")) == (api.org_id, True)


def test_without_a_key_each_request_is_an_errand_of_its_own(tell, world, records):
    async def story(post):
        return [await post(headers={}) for _ in range(2)]

    answers = tell(story)

    assert [answer.status_code for answer in answers] == [201, 201]
    assert (len(world.done), records()) == (2, [])


def test_a_repeat_while_the_first_is_outside_is_a_conflict(tell, world):
    async def story(post):
        running = await hanging(post, world)
        meanwhile = [await post(), await post(body={"what": "else"})]
        world.gate.set()
        return [await running, *meanwhile, await post()]

    first, repeat, other_body, afterwards = tell(story)

    assert (repeat.status_code, repeat.json()["code"]) == (409, "request_running")
    assert repeat.headers["retry-after"] == "1"
    assert (other_body.status_code, other_body.json()["code"]) == (422, "idempotency_key_reused")
    assert (first.status_code, afterwards.content) == (201, first.content)
    assert len(world.asked) == 1


def test_of_many_at_once_one_is_run(tell, world, noted):
    async def story(post):
        return await asyncio.gather(*(post() for _ in range(8)))

    answers = tell(story)

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert (len(world.asked), len(noted())) == (1, 1)


@pytest.mark.parametrize(("what", "status"), [("refused", 409), ("", 400)])
def test_a_refusal_before_the_outside_is_called_is_kept_and_leaves_nothing(
    tell, records, noted, what, status
):
    async def story(post):
        return [await post(body={"what": what}) for _ in range(2)]

    first, second = tell(story)

    assert (first.status_code, second.status_code) == (status, status)
    assert (second.content, second.headers[REPLAYED]) == (first.content, "true")
    assert noted() == []
    assert [record["status"] for record in records()] == [status]


def test_a_refusal_without_a_key_leaves_nothing_either(tell, world, noted):
    async def story(post):
        return await post(body={"what": "refused"}, headers={})

    refused = tell(story)

    assert (refused.status_code, noted(), world.asked) == (409, [], [])


@pytest.mark.parametrize("failure", [UNAVAILABLE, ValueError("a fault of ours")])
def test_after_a_call_that_failed_a_repeat_goes_on_from_the_same_intent(
    tell, world, records, noted, failure
):
    async def story(post):
        world.failures.append(failure)
        try:
            failed = (await post()).status_code
        except ValueError:  # The transport passes on what a server answers with 500.
            failed = 500
        left = await asyncio.to_thread(records)
        return failed, left, await post()

    failed, (left,), done = tell(story)

    assert failed == (503 if failure is UNAVAILABLE else 500)
    assert (left["status"], left["claimed_by"]) == (None, None)
    assert (done.status_code, REPLAYED in done.headers) == (201, False)
    assert noted() == [(done.json()["reference"], "call done")]
    assert len({reference for reference, _ in world.asked}) == 1


def test_an_outcome_that_is_not_final_is_recorded_and_asked_for_again(tell, world, noted, records):
    async def story(post):
        return [await post(body={"what": "bad outcome"}) for _ in range(2)]

    answers = tell(story)

    assert [answer.status_code for answer in answers] == [503, 503]
    assert [name for _, name in noted()] == ["bad outcome done"]
    assert (len(world.asked), len(world.done)) == (2, 1)
    assert [record["status"] for record in records()] == [None]


def test_what_was_declined_outside_is_recorded_and_a_repeat_is_an_errand_of_its_own(
    tell, world, noted, records
):
    async def story(post):
        return [await post(body={"what": "declined"}) for _ in range(2)]

    answers = tell(story)

    assert [answer.status_code for answer in answers] == [402, 402]
    assert [name for _, name in noted()] == ["declined done", "declined done"]
    assert (len(world.done), records()) == (2, [])


def test_an_outcome_that_can_not_be_recorded_stays_with_its_intent(tell, noted, records):
    async def story(post):
        return await post(body={"what": "unrecordable"})

    answer = tell(story)

    assert answer.status_code == 503
    assert [name for _, name in noted()] == ["noted"]
    (record,) = records()
    assert (record["status"], record["claimed_by"], record["intent"] is None) == (None, None, False)


def test_what_takes_too_long_is_left_to_a_repeat(tell, world, monkeypatch, noted):
    async def story(post):
        running = await hanging(post, world)
        answer = await running
        world.gate.set()
        return answer, await post()

    monkeypatch.setattr(routes, "REQUEST_TIMEOUT_SECONDS", 0.5)
    slow, repeat = tell(story)

    assert (slow.status_code, slow.json()["code"]) == (503, "timed_out")
    assert "not known yet" in slow.json()["error"]
    assert (repeat.status_code, len(noted())) == (201, 1)


def test_a_repeat_takes_over_from_a_process_that_died_once_its_claim_lapses(
    tell, api, backend, world, records
):
    async def story(post):
        await die_outside(api, backend.services.database)
        world.done[DEAD.reference] = "done before it died"
        early = await post()
        backend.clock.advance(seconds=LAPSE - 5)
        still = await post()
        backend.clock.advance(seconds=6)
        return early, still, await post(), await post()

    early, still, taken, repeat = tell(story)

    assert [answer.status_code for answer in (early, still)] == [409, 409]
    assert taken.json() == {"reference": DEAD.reference, "outcome": "done before it died"}
    assert (repeat.content, repeat.headers[REPLAYED]) == (taken.content, "true")
    assert [reference for reference, _ in world.asked] == [DEAD.reference]
    assert [record["status"] for record in records()] == [201]


def test_the_claim_of_the_dead_is_no_right_to_another_body(tell, api, backend, world):
    async def story(post):
        await die_outside(api, backend.services.database)
        backend.clock.advance(seconds=LAPSE + 1)
        return await post(body={"what": "else"})

    assert tell(story).status_code == 422
    assert world.asked == []


def test_of_two_repeats_after_a_lapse_one_takes_over(tell, api, backend, world):
    async def story(post):
        await die_outside(api, backend.services.database)
        backend.clock.advance(seconds=LAPSE + 1)
        running = await hanging(post, world)
        second = await post()
        world.gate.set()
        return await running, second

    first, second = tell(story)

    assert (first.status_code, second.status_code) == (201, 409)
    assert len(world.asked) == 1


async def renewal(backend, records):
    """Return when the claim was renewed since the clock was moved."""
    until = backend.clock.now() + staged.LAPSES_AFTER / 2
    async with asyncio.timeout(30):
        # The row tells nobody that it changed.
        while (await asyncio.to_thread(records))[0]["claimed_until"] < until:  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.02)


def test_a_holder_that_lives_keeps_its_claim_beyond_the_lapse(
    tell, backend, world, monkeypatch, records
):
    monkeypatch.setattr(staged, "RENEW_SECONDS", 0.02)

    async def story(post):
        running = await hanging(post, world)
        meanwhile = []
        for _ in range(3):
            backend.clock.advance(seconds=LAPSE - 10)
            await renewal(backend, records)
            meanwhile.append((await post()).status_code)
        world.gate.set()
        return await running, meanwhile

    done, meanwhile = tell(story)

    assert (done.status_code, meanwhile) == (201, [409, 409, 409])
    assert len(world.asked) == 1


def test_a_holder_that_lost_its_claim_neither_records_nor_answers(
    tell, backend, world, records, noted
):
    """As one whose process stood still for a minute."""

    async def story(post):
        first = await hanging(post, world)
        backend.clock.advance(seconds=LAPSE + 1)
        second = await hanging(post, world)
        world.gate.set()
        return await first, await second, await post()

    lost, taken, repeat = tell(story)

    assert sorted([lost.status_code, taken.status_code]) == [201, 409]
    assert lost.json()["code"] == "request_running"
    assert (repeat.content, repeat.headers[REPLAYED]) == (taken.content, "true")
    assert noted() == [(taken.json()["reference"], "call done")]
    assert [record["status"] for record in records()] == [201]


def test_a_holder_that_fails_does_not_release_the_claim_of_another(tell, backend, world, records):
    async def story(post):
        first = await hanging(post, world)
        backend.clock.advance(seconds=LAPSE + 1)
        second = await hanging(post, world)
        world.failures.append(UNAVAILABLE)
        world.gate.set()
        return await first, await second

    failed, done = tell(story)

    assert (failed.status_code, done.status_code) == (503, 201)
    assert [record["status"] for record in records()] == [201]


def test_a_key_that_was_revoked_takes_over_nothing(tell, api, backend, world):
    issued = backend.run(
        tenancy.issue_key(backend.services.database, api.org_id, name="k", is_test_mode=True)
    )

    async def story(post):
        database = backend.services.database
        await die_outside(api, database)
        backend.clock.advance(seconds=LAPSE + 1)
        await tenancy.revoke_key(database, org_id=api.org_id, api_key_id=issued.key.id)
        return await post(secret=issued.secret)

    assert tell(story).status_code == 401
    assert world.asked == []


def test_an_intent_is_forgotten_after_24_hours(tell, api, backend, records):
    async def forget():
        async with backend.services.database.transaction(api.tenant) as tx:
            await idempotency.forget(tx)

    async def story(post):
        await die_outside(api, backend.services.database)
        backend.clock.advance(hours=24, seconds=1)
        return await post(body={"what": "else"})

    anew = tell(story)
    backend.clock.advance(hours=24, seconds=1)
    backend.run(forget())

    assert (anew.status_code, anew.json()["outcome"]) == (201, "else done")
    assert records() == []


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("status = 201", "idempotency_records_answer_is_whole"),
        (
            f"status = 201, response_body = '', {UNCLAIMED}",
            "idempotency_records_intent_until_answered",
        ),
        ("intent = NULL", "idempotency_records_intent_until_answered"),
        ("claimed_by = NULL", "idempotency_records_claim_is_whole"),
        ("claimed_until = NULL", "idempotency_records_claim_is_whole"),
        (
            "status = 201, response_body = '', intent = NULL",
            "idempotency_records_answered_is_unclaimed",
        ),
        (
            f"status = 503, response_body = '', intent = NULL, {UNCLAIMED}",
            "idempotency_records_status_kept",
        ),
    ],
)
def test_no_record_is_half_claimed_or_half_answered(tell, api, backend, change, constraint):
    async def story(_post):
        await die_outside(api, backend.services.database)

    tell(story)

    with pytest.raises(asyncpg.CheckViolationError, match=constraint):
        backend.sql(f"UPDATE idempotency_records SET {change} WHERE org_id = $1", api.org_id)


def test_another_tenants_claim_stands_in_no_ones_way(tell, api, backend, world):
    async def story(post):
        await die_outside(api, backend.services.database)
        issued = await tenancy.issue_key(
            backend.services.database, api.org_id, name="live", is_test_mode=False
        )
        return await post(secret=issued.secret)

    assert tell(story).status_code == 201
    assert DEAD.reference not in world.done
