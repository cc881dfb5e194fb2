"""A process dies between its intent and its answer: a repeat goes on from the same intent."""

import asyncio
import sys
import threading
import time

import asyncpg
import httpx
import pytest

from support.process import Program

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="finds the database's processes in /proc"
)

ADVANCE = "/v1/test-clock/advance"
TARGET = "2028-02-01T00:00:00Z"
KEY = {"Idempotency-Key": "to-february"}
RECORD = "SELECT status, intent, claimed_by, claimed_until FROM idempotency_records"
# On the clock's way, and not needed to send it off.
LOCK = "LOCK TABLE subscriptions IN ACCESS EXCLUSIVE MODE"
# However long the program takes to start again, it finds the claim as it was left, then lapsed.
PROLONG = "UPDATE idempotency_records SET claimed_until = claimed_until + interval '1 hour'"
LAPSE = "UPDATE idempotency_records SET claimed_until = claimed_until - interval '2 hours'"


def advance(client):
    return client.post(ADVANCE, json={"to": TARGET}, headers=KEY)


def advance_into_the_crash(client):
    try:
        advance(client)
    except httpx.TransportError:
        return


def owners(runner, program):
    return runner.run(asyncpg.connect(program.credentials()["database_url"]))


def claimed(runner, connection):
    """The record of the request, once there is one."""
    deadline = time.monotonic() + 20
    while not (rows := runner.run(connection.fetch(RECORD))):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return rows[0]


def test_an_intent_survives_the_death_of_its_process(tmp_path):
    with Program(tmp_path / "data") as program, asyncio.Runner() as runner:
        blocking, looking = owners(runner, program), owners(runner, program)
        runner.run(blocking.execute("BEGIN"))
        runner.run(blocking.execute(LOCK))
        with program.client() as client:
            thread = threading.Thread(target=advance_into_the_crash, args=[client])
            thread.start()
            begun = claimed(runner, looking)
            program.kill_alone()
            thread.join(30)
        runner.run(blocking.close())
        left = claimed(runner, looking)
        runner.run(looking.execute(PROLONG))
        program.start()
        with program.client() as client:
            early = advance(client)
            runner.run(looking.execute(LAPSE))
            taken_over, repeat = advance(client), advance(client)
        answered = claimed(runner, looking)
        runner.run(looking.close())

    assert (begun["status"], begun["claimed_by"]) == (None, left["claimed_by"])
    assert (left["intent"], left["claimed_by"] is None) == (f'{{"to": "{TARGET}"}}', False)
    assert (early.status_code, early.json()["code"]) == (409, "request_running")
    assert (taken_over.status_code, taken_over.json()["now"]) == (200, TARGET)
    assert (repeat.content, repeat.headers["idempotent-replayed"]) == (taken_over.content, "true")
    assert (answered["status"], answered["intent"], answered["claimed_by"]) == (200, None, None)
