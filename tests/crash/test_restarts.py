"""The program waits for a database that restarts, whatever it was doing, and goes on."""

import asyncio
import os
import signal
import sys
import time

import asyncpg
import pytest

from monigo.core.errors import DomainError, ErrorKind
from monigo.core.ids import OrganizationId
from monigo.infra import waiting
from monigo.infra.db import Database, Tenant
from monigo.infra.db.postgres import start_embedded
from monigo.infra.ids import new_id
from monigo.infra.waiting import until_available
from support.clock import AdjustableClock
from support.process import Program, command

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="finds the database's processes in /proc"
)

CUSTOMERS = 7
EVENTS = 3_500


def kill_database(program):
    for pid in program.database_processes():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def counts(program):
    """What the demo consists of, as the owner sees it."""

    async def ask():
        connection = await asyncpg.connect(program.credentials()["database_url"])
        try:
            return [
                await connection.fetchval(f"SELECT count(*) FROM {table}")
                for table in ("organizations", "customers", "usage_events", "invoices")
            ]
        finally:
            await connection.close()

    return asyncio.run(ask())


@pytest.mark.parametrize("words", [b"0001_infra.sql", b"0008_wallets.sql", b"functions applied"])
def test_a_first_start_survives_a_database_that_restarts(tmp_path, words):
    program = Program(tmp_path / "data", demo_data="true")
    try:
        said = program.launch()
        program.wait_until_ready(said, words=words)
        for _ in range(3):
            kill_database(program)
            time.sleep(0.3)
        program.wait_until_ready(said)

        assert counts(program) == [1, CUSTOMERS, EVENTS, 1]
        with program.client() as client:
            assert client.get("/v1/customers").json()["count"] == CUSTOMERS
    finally:
        program.kill()


def test_a_running_program_goes_on_after_its_database_restarted(tmp_path):
    with Program(tmp_path / "data") as program, program.client() as client:
        kill_database(program)
        deadline = time.monotonic() + 60
        while client.get("/readyz").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)

        made = client.post("/v1/customers", json={"external_id": "after"})

        assert made.status_code == 201
        assert program.is_running


async def started_before(data_dir, *words):
    """Run a command on a database that is started only when the command waits for it."""
    server = await start_embedded(data_dir)
    url = server.url
    await server.stop()
    started = command(data_dir.with_name("program"), *words, database_url=url)
    waits = await asyncio.to_thread(started.stderr.readline)
    server = await start_embedded(data_dir)
    try:
        return waits, await asyncio.to_thread(started.communicate, timeout=60), started.returncode
    finally:
        await server.stop()


def test_a_command_waits_for_a_database_that_starts_later(tmp_path):
    waits, (said, _), code = asyncio.run(started_before(tmp_path / "data", "migrate"))

    assert "waiting for the database" in waits
    assert (said, code) == ("the database has the present schema\n", 0)


async def restarted_under(data_dir, work):
    """Run `work` on a pool whose server is killed in the middle, and once more afterwards."""
    server = await start_embedded(data_dir)
    place = data_dir / "postgres"
    database = await Database.connect(server.url, clock=AdjustableClock(), pool_size=4)
    tenant = Tenant(OrganizationId(new_id()), is_test=False)
    try:
        (pid,) = (place / "postmaster.pid").read_text().splitlines()[:1]
        return await work(database, tenant, lambda: os.kill(int(pid), signal.SIGQUIT))
    finally:
        await database.close()
        await server.stop()


async def cut_in_a_transaction(database, tenant, kill):
    async def ask(query):
        async with database.transaction(tenant) as tx:
            return await tx.connection.fetchval(query)

    async def be_cut():
        async with database.transaction(tenant) as tx:
            kill()
            while True:
                await tx.connection.fetchval("SELECT 1")
                await asyncio.sleep(0.01)

    (error,) = await asyncio.gather(be_cut(), return_exceptions=True)
    return error, await until_available(lambda: ask("SELECT 7"))


def test_a_transaction_that_is_cut_says_so_and_the_next_one_works(tmp_path):
    error, after = asyncio.run(restarted_under(tmp_path / "data", cut_in_a_transaction))

    assert "is_closed" not in str(error)
    assert isinstance(error, (asyncpg.PostgresError, asyncpg.InterfaceError, OSError))
    assert after == 7


def failing(*errors):
    """An action that fails so often, and then works."""
    left = list(errors)

    async def action():
        if left:
            raise left.pop(0)
        return "done"

    return action


BUSY = DomainError(ErrorKind.UNAVAILABLE, "database_unavailable", "not available")


@pytest.mark.parametrize(
    "error", [OSError("refused"), asyncpg.CannotConnectNowError("starting up"), BUSY]
)
def test_what_passes_is_waited_for(monkeypatch, error):
    monkeypatch.setattr(waiting, "RETRY_SECONDS", 0)

    assert asyncio.run(until_available(failing(error, error))) == "done"


@pytest.mark.parametrize(
    "error", [ValueError("a fault"), DomainError(ErrorKind.CONFLICT, "exists", "exists")]
)
def test_what_does_not_pass_is_told_at_once(error):
    with pytest.raises(type(error)):
        asyncio.run(until_available(failing(error)))


def test_waiting_ends(monkeypatch):
    monkeypatch.setattr(waiting, "WAIT_SECONDS_MAX", -1)

    with pytest.raises(OSError, match="refused"):
        asyncio.run(until_available(failing(OSError("refused"))))
