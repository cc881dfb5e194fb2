"""Starts the embedded PostgreSQL, or attaches to the one that already runs, and stops it."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from monigo.infra.db.postgres.cluster import Cluster, prepare
from monigo.infra.db.postgres.data_directory import (
    DATABASE,
    HOST,
    USER,
    DataDirectory,
    EmbeddedPostgresError,
    Postmaster,
    find_postmaster,
    is_postmaster,
    open_data_directory,
)
from monigo.infra.db.postgres.install import location, spawn

# A healthy server answers within a second; one that is silent for so long is stuck.
START_SECONDS_MAX = 60
# A recovering server replays up to max_wal_size after a crash; interrupting it would only restart
# the replay.
RECOVERY_SECONDS_MAX = 600
# A fast shutdown writes the caches to disk; then sessions are cut, and the next start recovers.
STOP_SECONDS_MAX = 60
KILL_SECONDS_MAX = 10
POLL_SECONDS = 0.03
# Between two launches: each writes a dozen lines to the log.
RELAUNCH_SECONDS = 0.5
# Between two looks whether the server still runs: it is to be back within two seconds.
WATCH_SECONDS = 0.2
CONNECT_SECONDS_MAX = 5
# The log and its predecessor together stay near twice this size.
LOG_BYTES_MAX = 10_000_000
LOG_CHECK_SECONDS = 60
# Ends of a start that the next try may not meet: another start was quicker, a port was taken
# after the look at it, processes of a killed server were still finishing.
PASSING_FAULTS = (
    'lock file "postmaster.pid" already exists',
    "could not create any TCP/IP sockets",
    "pre-existing shared memory block",
)


def _quiet(_message: str) -> None:
    return


class _Answer(Enum):
    READY = auto()
    BUSY = auto()  # recovering or shutting down
    SILENT = auto()


@dataclass(slots=True)
class EmbeddedPostgres:
    """A running server: `url` is its owner's; `attached` means that it ran before.

    Exactly one process owns it, and stops it: the one that started it, or that found it left behind
    by a process that was killed. If the server ends unexpectedly, its owner starts it again at the
    same address.
    """

    url: str = field(repr=False)
    _directory: DataDirectory = field(repr=False)
    _pid: int = field(repr=False)
    _lock: int | None = field(default=None, repr=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    attached: bool = field(kw_only=True)
    _log: Callable[[str], object] = field(default=_quiet, kw_only=True, repr=False)
    _tasks: list[asyncio.Task[None]] = field(
        default_factory=list[asyncio.Task[None]], init=False, repr=False
    )

    def __post_init__(self) -> None:
        if self.owned:
            self._tasks = [
                asyncio.create_task(_bound_log(self._directory.log)),
                asyncio.create_task(self._keep_running()),
            ]

    @property
    def owned(self) -> bool:
        """Whether `stop` will stop the server."""
        return self._lock is not None

    async def stop(self) -> None:
        """Shut the server down and wait for its end; does nothing if another process owns it."""
        if self._lock is None:
            return
        lock, self._lock = self._lock, None
        try:
            for task in self._tasks:
                task.cancel()
            # A server that is being started again is stopped by the one who starts it.
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for order, seconds in (
                (signal.SIGINT, STOP_SECONDS_MAX),
                (signal.SIGQUIT, KILL_SECONDS_MAX),
            ):
                if self._runs():
                    os.kill(self._pid, order)
                if await self._ends_within(seconds):
                    return
            raise EmbeddedPostgresError(
                f"PostgreSQL (process {self._pid}) does not stop; see {self._directory.log}."
            )
        finally:
            os.close(lock)

    async def _keep_running(self) -> None:
        """Start the server again whenever it has ended, however often that fails."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            if self._runs():
                continue
            self._log("PostgreSQL ended; starting it again")
            try:
                process = await _start_server(
                    self._directory, urlsplit(self.url).port or 0, self._log
                )
            except (EmbeddedPostgresError, OSError, subprocess.SubprocessError) as error:
                self._log(f"PostgreSQL can't be started again yet: {error}")
                process = None
            if process is None:
                await asyncio.sleep(RELAUNCH_SECONDS)
            else:
                self._process, self._pid = process, process.pid

    def _runs(self) -> bool:
        if self._process is not None:
            return self._process.poll() is None
        return is_postmaster(self._pid, self._directory.cluster)

    async def _ends_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self._runs():
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(POLL_SECONDS)
        return True


async def start_embedded(
    data_dir: Path, *, log: Callable[[str], object] = _quiet
) -> EmbeddedPostgres:
    """Start the database in `data_dir`, making it first if needed, or attach to it.

    Returns when a connection works. `log` is given a sentence on each step that takes time.

    Raises:
        EmbeddedPostgresError: it can't be started; the text has the cause and advice.
    """
    try:
        directory = await asyncio.to_thread(open_data_directory, data_dir)
        started = time.monotonic()
        while True:
            lock = directory.try_lock()
            if lock is not None:
                try:
                    return await _own(directory, log, lock=lock)
                except BaseException:
                    os.close(lock)
                    raise
            server = find_postmaster(directory.cluster)
            answer = await _ask(directory, server)
            if server and answer is _Answer.READY:
                return EmbeddedPostgres(
                    directory.url(server.port), directory, server.pid, attached=True
                )
            if _is_late(started, answer):
                raise EmbeddedPostgresError(
                    f"process {directory.lock.read_text().strip()} holds {directory.lock}, but its "
                    "server can't be reached from here (another container?): stop that process."
                )
            await asyncio.sleep(POLL_SECONDS)
    except OSError as error:
        raise EmbeddedPostgresError(
            f"{error}. The embedded database needs {data_dir} to be writable by this user; "
            "choose another with MONIGO_DATA_DIR, or set MONIGO_DATABASE_URL."
        ) from error


async def _own(
    directory: DataDirectory, log: Callable[[str], object], *, lock: int
) -> EmbeddedPostgres:
    """As holder of the lock: take over the server that a killed process left, or start one."""
    started = time.monotonic()
    while True:
        server = find_postmaster(directory.cluster)
        answer = await _ask(directory, server)
        if server and answer is _Answer.READY:
            log("took over the running PostgreSQL")
            return EmbeddedPostgres(
                directory.url(server.port), directory, server.pid, lock, attached=True, _log=log
            )
        if server is None and (launched := await _launch(directory, log, lock=lock)):
            return launched
        if _is_late(started, answer):
            raise _failure(directory, "does not get ready")
        await asyncio.sleep(POLL_SECONDS if server else RELAUNCH_SECONDS)


async def _launch(
    directory: DataDirectory, log: Callable[[str], object], *, lock: int
) -> EmbeddedPostgres | None:
    """Make the cluster first where there is none; None if it ended for a passing reason."""
    if not directory.cluster.exists():
        log("initialising the database")
        await asyncio.to_thread(prepare, directory)
    port = directory.free_port()
    process = await _start_server(directory, port, log)
    if process is None:
        return None
    return EmbeddedPostgres(
        directory.url(port), directory, process.pid, lock, process, attached=False, _log=log
    )


async def _start_server(
    directory: DataDirectory, port: int, log: Callable[[str], object]
) -> subprocess.Popen[bytes] | None:
    """Start a server and wait until it answers; None if it ended for a passing reason."""
    cluster = await asyncio.to_thread(prepare, directory)
    _trim(directory.log)
    log_start = directory.log_size()
    process = _spawn_server(directory, cluster, port)
    try:
        is_ready = await _gets_ready(directory, process, log_start=log_start)
    except BaseException:
        process.send_signal(signal.SIGQUIT)
        await asyncio.to_thread(process.wait, KILL_SECONDS_MAX)
        raise
    if is_ready:
        log(f"PostgreSQL is ready on port {port}")
        return process
    if any(fault in directory.log_tail(start=log_start) for fault in PASSING_FAULTS):
        return None
    raise _failure(directory, f"ended with code {process.returncode}", log_start)


async def _gets_ready(
    directory: DataDirectory, process: subprocess.Popen[bytes], *, log_start: int
) -> bool:
    started = time.monotonic()
    while process.poll() is None:
        answer = await _ask(directory, find_postmaster(directory.cluster))
        if answer is _Answer.READY:
            return True
        if _is_late(started, answer):
            raise _failure(directory, "does not get ready", log_start)
        await asyncio.sleep(POLL_SECONDS)
    return False


def _spawn_server(directory: DataDirectory, cluster: Cluster, port: int) -> subprocess.Popen[bytes]:
    where = location(directory.cluster, cluster.account)
    # On the command line because no ALTER SYSTEM may change how we reach the server. The
    # socket's path is relative to the cluster, so the system's limit of 107 bytes never bites.
    options = {"listen_addresses": HOST, "port": port, "unix_socket_directories": "."}
    flags = [flag for name, value in options.items() for flag in ("-c", f"{name}={value}")]
    output = directory.open(directory.log, os.O_WRONLY | os.O_APPEND)
    try:
        return spawn(
            [cluster.programs / "postgres", "-D", where, *flags],
            cwd=directory.cluster,
            account=cluster.account,
            output=output,
        )
    finally:
        os.close(output)


async def _ask(directory: DataDirectory, server: Postmaster | None) -> _Answer:
    """Log in once the server reports readiness: only a log-in proves that it accepts work."""
    if server is None:
        return _Answer.SILENT
    if not server.is_ready:
        return _Answer.BUSY
    password = directory.password()
    try:
        connection = await asyncpg.connect(
            host=HOST,
            port=server.port,
            user=USER,
            password=password,
            database=DATABASE,
            ssl=False,
            timeout=CONNECT_SECONDS_MAX,
        )
        await connection.close()
    except asyncpg.TooManyConnectionsError:
        return _Answer.READY  # at work, and fully
    except asyncpg.OperatorInterventionError:
        return _Answer.BUSY
    except (OSError, asyncpg.PostgresConnectionError):
        return _Answer.SILENT
    except asyncpg.PostgresError as error:
        raise EmbeddedPostgresError(
            f"PostgreSQL in {directory.cluster} refuses its owner: {error}. Is postgres.password "
            "the one that the cluster was initialised with?"
        ) from error
    return _Answer.READY


def _is_late(started: float, answer: _Answer) -> bool:
    limit = RECOVERY_SECONDS_MAX if answer is _Answer.BUSY else START_SECONDS_MAX
    return time.monotonic() - started > limit


def _failure(directory: DataDirectory, what: str, log_start: int = 0) -> EmbeddedPostgresError:
    tail = directory.log_tail(start=log_start)
    return EmbeddedPostgresError(
        f"PostgreSQL in {directory.cluster} {what}; {directory.log} ends:\n{tail}"
    )


async def _bound_log(path: Path) -> None:
    while True:
        await asyncio.sleep(LOG_CHECK_SECONDS)
        with contextlib.suppress(OSError):  # a full disk has louder victims
            await asyncio.to_thread(_trim, path)


def _trim(path: Path) -> None:
    # The server keeps its descriptor, in append mode: it goes on at the emptied file's start.
    if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
        shutil.copyfile(path, path.with_suffix(".log.1"))
        os.truncate(path, 0)
