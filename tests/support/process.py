"""The program itself, as an operator runs it: started, asked, stopped and killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import httpx

from support.error_codes import check_refusal

PROGRAM = Path(sys.executable).parent / "monigo"
# The same program: on a busy machine a hash at lowest priority takes longer than anybody waits.
SERVING = (sys.executable, Path(__file__).parent / "eager_program.py", "serve")
# Recovery after a kill takes a second; a busy machine more.
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30
COMMAND_SECONDS_MAX = 60
POLL_SECONDS = 0.02


def environment(data_dir: Path, **settings: object) -> dict[str, str]:
    """Our own settings and no others of MONIGO_…"""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("MONIGO_")}
    ours = {"data_dir": data_dir, "demo_data": "false", "log_format": "json", **settings}
    return inherited | {f"MONIGO_{name.upper()}": str(value) for name, value in ours.items()}


def command(data_dir: Path, *arguments: str, **settings: object) -> subprocess.Popen[str]:
    """Start a command of the program."""
    return subprocess.Popen(
        [PROGRAM, *arguments],
        env=environment(data_dir, **settings),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class Program:
    """`monigo serve` on a data directory; it can be started again after it was killed."""

    def __init__(self, data_dir: Path, **settings: object) -> None:
        self.data_dir = data_dir
        self.settings = settings
        self.log = data_dir.with_suffix(".log")
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """The process of the program itself."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended yet."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Serve on a free port; returns when the program says that it is ready."""
        self.wait_until_ready(self.launch())

    def launch(self) -> int:
        """Begin to serve on a free port; where what it says from now on begins in its log."""
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        said = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                SERVING,
                env=environment(self.data_dir, port=port, **self.settings),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return said

    def wait_until_ready(self, said: int = 0, *, words: bytes = b"Monigo is ready.") -> None:
        """Wait until the program says these words."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while words not in self.log.read_bytes()[said:]:
            assert self.is_running, self.log.read_text()[-4_000:]
            assert time.monotonic() < deadline, self.log.read_text()[-4_000:]
            time.sleep(POLL_SECONDS)

    def credentials(self) -> dict[str, str]:
        """What the program wrote for newcomers."""
        return json.loads((self.data_dir / "credentials.json").read_text())

    def client(self, secret: str | None = None) -> httpx.Client:
        """A client with a key; by default the test key of credentials.json."""
        secret = secret or self.credentials()["test_api_key"]
        headers = {"Authorization": f"Bearer {secret}"}
        hooks = {"response": [check_refusal]}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, event_hooks=hooks)

    def run(self, *arguments: str) -> str:
        """Run a command beside the server; what it printed."""
        started = command(self.data_dir, *arguments)
        output, errors = started.communicate(timeout=COMMAND_SECONDS_MAX)
        assert started.returncode == 0, errors
        return output

    def run_with_input(self, text: str, *arguments: str) -> tuple[int, str, str]:
        """Run a command that reads from standard input: its exit code, and what it said."""
        started = command(self.data_dir, *arguments)
        output, errors = started.communicate(text, timeout=COMMAND_SECONDS_MAX)
        return started.returncode, output, errors

    def terminate(self) -> None:
        """Ask the program to finish, as an operator does."""
        self._process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """The exit code, once the program has ended."""
        return self._process.wait(STOP_SECONDS_MAX)

    def kill_alone(self) -> None:
        """End the program at once, and leave its database running without it."""
        if self.is_running:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(STOP_SECONDS_MAX)

    def kill(self) -> None:
        """End the program and its database at once, as a power cut does."""
        self.kill_alone()
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while left := self.database_processes():
            for pid in left:
                _kill(pid)
            assert time.monotonic() < deadline, left
            time.sleep(POLL_SECONDS)

    def recoveries(self) -> int:
        """How often the database found that it had been killed."""
        return (self.data_dir / "postgres.log").read_text().count("not properly shut down")

    def database_processes(self) -> list[int]:
        """The processes that work in the database's directory; there a server's all do."""
        place = self.data_dir / "postgres"
        pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
        return [pid for pid in pids if _works_in(pid, place)]


def _works_in(pid: int, place: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").samefile(place)
    except OSError:
        return False


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
