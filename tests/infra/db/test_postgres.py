"""The embedded database starts, survives and stops wherever and however it is treated."""

import asyncio
import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import asyncpg
import pytest

from monigo.infra.db.postgres import EmbeddedPostgresError, install, launcher, start_embedded
from monigo.infra.db.postgres.settings import MEBIBYTE, configuration

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can take on other users")

# A process that owns or attaches to the database until its standard input ends. It can become
# another user first; what it would import later is imported before, as that user may not.
HOLDER = """
import asyncio, concurrent.futures.thread, encodings.idna, os, sys
from pathlib import Path
from monigo.infra.db.postgres import start_embedded

async def hold(data_dir):
    server = await start_embedded(data_dir)
    print(server.url, server.attached, server.owned, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop()

if len(sys.argv) > 2:
    os.setgroups([])
    os.setgid(int(sys.argv[2]))
    os.setuid(int(sys.argv[2]))
asyncio.run(hold(Path(sys.argv[1])))
"""


def hold(data_dir, *arguments, packages=""):
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, data_dir, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(packages)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def answer(holder):
    """Wait for a holder's database: its URL, and whether the holder attached to and owns it."""
    url, attached, owned = holder.stdout.readline().split()
    return url, attached == "True", owned == "True"


def kill(holder):
    holder.kill()
    holder.communicate()


def servers(data_dir):
    """The pids of all PostgreSQL processes that work in the data directory."""
    found = []
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if process.name.isdecimal() and (process / "cwd").samefile(data_dir / "postgres"):
                found.append(int(process.name))
    return found


def kill_servers(data_dir):
    """Kill all at once, and wait until the kernel has buried them."""
    deadline = time.monotonic() + 10
    while (pids := servers(data_dir)) and time.monotonic() < deadline:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


async def ask(url, query):
    connection = await asyncpg.connect(url, ssl=False)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def sums(url):
    return asyncio.run(ask(url, "SELECT sum(number) FROM kept"))


def start_and_stop(data_dir, query="SELECT sum(number) FROM kept"):
    """Start, ask, stop; what was answered, and whether the server ran before."""

    async def story():
        server = await start_embedded(data_dir)
        try:
            return await ask(server.url, query), server.attached
        finally:
            await server.stop()

    return asyncio.run(story())


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """An initialised database with a few rows, stopped: copying is quicker than initdb."""
    data_dir = tmp_path_factory.mktemp("template") / "data"
    query = "CREATE TABLE kept AS SELECT number FROM generate_series(1, 10) AS number"
    start_and_stop(data_dir, query)
    return data_dir


@pytest.fixture
def empty_dir(tmp_path):
    yield tmp_path / "data"
    kill_servers(tmp_path / "data")


@pytest.fixture
def data_dir(template, empty_dir):
    subprocess.run(["cp", "-a", template, empty_dir], check=True)
    return empty_dir


def test_the_first_start_makes_a_database_of_version_18(empty_dir):
    version, attached = start_and_stop(empty_dir, "SELECT version()")

    assert version.startswith("PostgreSQL 18.")
    assert not attached
    assert servers(empty_dir) == []
    assert (empty_dir / "postgres.password").stat().st_mode & 0o777 == 0o600
    assert list(empty_dir.glob(".*")) == []


def test_the_server_keeps_what_it_commits_and_speaks_utc(data_dir):
    query = """SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings
               WHERE name IN ('data_checksums', 'fsync', 'synchronous_commit', 'TimeZone', 'jit',
                              'server_encoding', 'listen_addresses', 'huge_pages')"""

    settings, _ = start_and_stop(data_dir, query)

    assert settings == (
        "TimeZone=UTC data_checksums=on fsync=on huge_pages=off jit=off "
        "listen_addresses=127.0.0.1 server_encoding=UTF8 synchronous_commit=on"
    )


def test_nobody_logs_in_without_the_password(data_dir):
    holder = hold(data_dir)
    url, _, _ = answer(holder)
    password = (data_dir / "postgres.password").read_text().strip()

    with pytest.raises(asyncpg.InvalidPasswordError):
        asyncio.run(ask(url.replace(password, "wrong"), "SELECT 1"))

    holder.communicate()


def test_data_survive_a_restart_on_the_same_port(data_dir):
    port = (data_dir / "postgres.port").read_text()

    first, second = start_and_stop(data_dir), start_and_stop(data_dir)

    assert first == second == (55, False)
    assert (data_dir / "postgres.port").read_text() == port


def test_committed_rows_survive_the_killing_of_all_processes(data_dir):
    holder = hold(data_dir)
    url, _, _ = answer(holder)
    asyncio.run(ask(url, "INSERT INTO kept VALUES (45) RETURNING number"))

    kill(holder)
    kill_servers(data_dir)

    assert (data_dir / "postgres" / "postmaster.pid").exists()
    assert start_and_stop(data_dir) == (100, False)


def test_rows_survive_a_killed_main_process_whose_children_still_work(data_dir):
    holder = hold(data_dir)
    url, _, _ = answer(holder)
    busy = """SELECT sum(sqrt(a + b))
              FROM generate_series(1, 3000) a, generate_series(1, 10000) b"""
    working = """SELECT count(*) FROM pg_stat_activity
                 WHERE state = 'active' AND query LIKE '%sqrt(a%' AND pid <> pg_backend_pid()"""

    async def story():
        connection = await asyncpg.connect(url, ssl=False)
        work = asyncio.create_task(connection.fetchval(busy))
        while not await ask(url, working):  # noqa: ASYNC110 - nobody tells of a query's start
            await asyncio.sleep(0.01)
        kill(holder)
        main = int((data_dir / "postgres/postmaster.pid").read_text().split()[0])
        os.kill(main, signal.SIGKILL)
        while main in (left := servers(data_dir)):  # noqa: ASYNC110 - nor of another's end
            await asyncio.sleep(0.01)
        server = await start_embedded(data_dir)
        await server.stop()
        await asyncio.gather(work, return_exceptions=True)
        connection.terminate()
        return left

    assert len(asyncio.run(story())) >= 1
    assert "pre-existing shared memory block" in (data_dir / "postgres.log").read_text()
    assert start_and_stop(data_dir) == (55, False)


def test_a_start_takes_over_the_server_of_a_killed_owner_and_stops_it(data_dir):
    holder = hold(data_dir)
    url, _, _ = answer(holder)

    kill(holder)
    left = sums(url)

    assert left == 55
    assert start_and_stop(data_dir) == (55, True)
    assert servers(data_dir) == []


def test_a_second_start_attaches_and_leaves_the_server_to_its_owner(data_dir):
    owner = hold(data_dir)
    url, _, _ = answer(owner)

    guest = hold(data_dir)
    guest_answer = answer(guest)
    guest.communicate()

    assert guest_answer == (url, True, False)
    assert sums(url) == 55
    owner.communicate()
    assert servers(data_dir) == []


def test_ctrl_c_in_the_terminal_does_not_reach_the_server(data_dir):
    holder = hold(data_dir)
    answer(holder)

    sessions = {os.getsid(pid) for pid in servers(data_dir)}

    assert os.getsid(holder.pid) not in sessions
    holder.communicate()


def test_two_processes_that_start_at_once_make_one_database(empty_dir):
    holders = [hold(empty_dir), hold(empty_dir)]

    (url, *first), (other_url, *second) = map(answer, holders)

    assert url == other_url
    assert sorted([first, second]) == [[False, True], [True, False]]
    for holder in holders:
        holder.communicate()


def test_a_kill_while_initialising_leaves_nothing_that_looks_initialised(empty_dir):
    holder = hold(empty_dir)
    deadline = time.monotonic() + 20
    while not list(empty_dir.glob(".postgres-init-*/data/base")) and time.monotonic() < deadline:
        time.sleep(0.002)

    kill(holder)

    assert not (empty_dir / "postgres").exists()
    assert start_and_stop(empty_dir, "SELECT 1") == (1, False)
    assert list(empty_dir.glob(".*")) == []


def test_a_stale_pid_file_with_a_foreign_live_pid_does_not_matter(data_dir):
    # The worst case: the program that got the pid runs as the server's own user.
    owner = (data_dir / "postgres").stat()
    pid_file = data_dir / "postgres" / "postmaster.pid"
    with subprocess.Popen(["sleep", "60"], user=owner.st_uid) as foreign:
        port = (data_dir / "postgres.port").read_text()
        pid_file.write_text(f"{foreign.pid}\n{data_dir}/postgres\n1\n{port}\n\n127.0.0.1\n")

        result = start_and_stop(data_dir)

        assert foreign.poll() is None
        foreign.kill()
    assert result == (55, False)


def test_an_empty_pid_file_does_not_matter(data_dir):
    (data_dir / "postgres" / "postmaster.pid").touch()

    assert start_and_stop(data_dir) == (55, False)


def test_a_taken_port_makes_it_choose_another(data_dir):
    taken = (data_dir / "postgres.port").read_text()
    with socket.create_server(("127.0.0.1", int(taken))):
        result = start_and_stop(data_dir)

    assert result == (55, False)
    assert (data_dir / "postgres.port").read_text() != taken


def test_a_port_taken_after_the_look_at_it_is_tried_again(data_dir, monkeypatch):
    kept = int((data_dir / "postgres.port").read_text())
    looks = iter([True, False, True])
    monkeypatch.setattr(
        "monigo.infra.db.postgres.data_directory._is_free", lambda _port: next(looks)
    )
    with socket.create_server(("127.0.0.1", kept)):
        result = start_and_stop(data_dir)

    assert result == (55, False)


def test_a_failed_start_quotes_the_log_and_frees_the_directory(data_dir):
    control = data_dir / "postgres" / "global" / "pg_control"
    good = control.read_bytes()
    control.write_bytes(b"")

    with pytest.raises(EmbeddedPostgresError, match=r"(?s)postgres.log ends:.*FATAL|PANIC"):
        start_and_stop(data_dir)

    control.write_bytes(good)
    assert start_and_stop(data_dir) == (55, False)


def test_a_database_of_another_version_is_refused(data_dir):
    (data_dir / "postgres" / "PG_VERSION").write_text("16\n")

    with pytest.raises(EmbeddedPostgresError, match="made by PostgreSQL 16"):
        start_and_stop(data_dir)


def test_a_lost_password_is_told_as_such(data_dir):
    (data_dir / "postgres.password").unlink()

    with pytest.raises(EmbeddedPostgresError, match="restore it from a backup"):
        start_and_stop(data_dir)


def test_a_data_dir_that_is_no_directory_is_reported(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(EmbeddedPostgresError, match="choose another with MONIGO_DATA_DIR"):
        start_and_stop(tmp_path / "file" / "data")


def test_a_long_log_is_cut_at_the_start(data_dir, monkeypatch):
    monkeypatch.setattr(launcher, "LOG_BYTES_MAX", 100)
    start_and_stop(data_dir)
    length = (data_dir / "postgres.log").stat().st_size

    start_and_stop(data_dir)

    assert (data_dir / "postgres.log.1").stat().st_size == length
    assert (data_dir / "postgres.log").stat().st_size < 2 * length


@as_root
def test_root_runs_it_as_another_user_below_closed_directories(data_dir, monkeypatch):
    origin = Path(importlib.util.find_spec(install.MODULE).origin).parent
    closed = data_dir.parent / "closed"
    closed.mkdir(mode=0o700)
    for name in (install.MODULE, f"{install.MODULE}.libs"):
        shutil.copytree(origin.parent / name, closed / name)
    monkeypatch.syspath_prepend(closed)
    with tempfile.TemporaryDirectory() as open_dir:
        Path(open_dir).chmod(0o755)
        monkeypatch.setattr(install, "SHARED_DIR", Path(open_dir) / "monigo")

        first, second = start_and_stop(data_dir), start_and_stop(data_dir)

        copies = list(Path(open_dir).rglob("bin/postgres"))
    assert first == second == (55, False)
    assert len(copies) == 1
    assert data_dir.stat().st_mode & 0o777 == 0o700
    assert (data_dir / "postgres").stat().st_uid != 0


@as_root
def test_root_serves_an_owner_without_a_name_in_the_system(empty_dir):
    empty_dir.mkdir()
    os.chown(empty_dir, 54_321, 54_321)

    answered = start_and_stop(empty_dir, "SELECT 1")

    assert answered == (1, False)
    assert {path.stat().st_uid for path in (empty_dir / "postgres").rglob("*")} == {54_321}
    assert (empty_dir / "postgres.password").stat().st_uid == 54_321


@as_root
def test_a_cluster_that_root_restored_gets_its_user_back(data_dir):
    subprocess.run(["chown", "-R", "0:0", data_dir], check=True)

    assert start_and_stop(data_dir) == (55, False)


@as_root
def test_an_ordinary_user_starts_it_without_root():
    nobody = 65_534
    with tempfile.TemporaryDirectory() as home:
        os.chown(home, nobody, nobody)
        data_dir, packages = Path(home) / "data", Path(home) / "packages"
        # The checkout may lie where nobody else may look.
        installed = Path(importlib.util.find_spec(install.MODULE).origin).parents[1]
        for part in installed.glob(f"{install.MODULE}*"):
            shutil.copytree(part, packages / part.name)
        holder = hold(data_dir, nobody, packages=packages)

        _, attached, owned = answer(holder)
        uids = {Path(f"/proc/{pid}").stat().st_uid for pid in servers(data_dir)}
        holder.communicate()

        assert (attached, owned, uids) == (False, True, {nobody})
        assert servers(data_dir) == []


@pytest.mark.parametrize(
    ("memory", "shared_buffers"),
    [(256, 64), (1_024, 256), (2_048, 512), (64_000, 2_048), (64, 32)],
)
def test_settings_fit_the_memory(memory, shared_buffers):
    text = configuration(memory * MEBIBYTE, free_disk=32_000 * MEBIBYTE)

    assert f"shared_buffers = {shared_buffers}MB\n" in text


@pytest.mark.parametrize(("free_disk", "wal"), [(1_000, 512), (32_000, 2_000), (900_000, 6_144)])
def test_the_log_takes_a_sixteenth_of_the_free_disk(free_disk, wal):
    text = configuration(2_048 * MEBIBYTE, free_disk * MEBIBYTE)

    assert f"max_wal_size = {wal}MB " in text
