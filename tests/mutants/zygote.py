"""Forks a warm pytest for each job: a line of JSON in, a line of JSON out.

It has imported what the tests need of others, and nothing of the product, which each child
imports from the tree as the mutant has it. It runs as a process of its own, without threads.
"""

import contextlib
import importlib
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path

POLL_SECONDS = 0.01
# A mutant that fills the memory is stopped before the machine is.
MEMORY_BYTES_MAX = 6 * 1024**3


class _Watch:
    """Notes what was collected and which test failed first."""

    def __init__(self) -> None:
        self.collected: list[str] = []
        self.failed: str | None = None

    def pytest_collection_finish(self, session) -> None:
        self.collected = [item.nodeid for item in session.items]

    def pytest_runtest_logreport(self, report) -> None:
        if report.failed and self.failed is None:
            self.failed = report.nodeid


def _settle() -> None:
    """Makes properties quick to fail and the same each time: no shrinking, no chance."""
    from hypothesis import Phase, settings  # noqa: PLC0415 - imported when forked, not before

    phases = [Phase.explicit, Phase.generate]
    settings.register_profile("mutants", phases=phases, database=None, derandomize=True)
    settings.load_profile("mutants")


def _child(job: dict, answer: Path) -> None:
    os.setsid()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (job["busy_seconds_max"], job["busy_seconds_max"]))
    log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.dont_write_bytecode = not job["keep_bytecode"]
    import pytest  # noqa: PLC0415 - as above

    _settle()
    watch = _Watch()
    status = pytest.main(job["arguments"], plugins=[watch])
    told = {"status": int(status), "failed": watch.failed}
    if job["keep_bytecode"]:
        told |= {"collected": watch.collected, "modules": _modules_of_others()}
    answer.write_text(json.dumps(told))
    sys.stdout.flush()
    os._exit(0)


def _modules_of_others() -> list[str]:
    here = str(Path.cwd())
    return [
        name
        for name, module in sys.modules.items()
        if (file := getattr(module, "__file__", None)) and not file.startswith(here)
    ]


def _run(job: dict) -> dict:
    answer = Path(job["log"]).with_suffix(".json")
    answer.unlink(missing_ok=True)
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        try:
            _child(job, answer)
        finally:
            os._exit(99)
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() - started > job["seconds_max"]:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            break
        time.sleep(POLL_SECONDS)
    # What a mutant left running, such as a server that was not stopped, goes with it.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    told = json.loads(answer.read_text()) if answer.is_file() else {"status": None, "failed": None}
    return told | {"seconds": time.monotonic() - started}


def main() -> None:
    """Serve jobs until the input ends."""
    for line in sys.stdin:
        job = json.loads(line)
        told = _run(job)
        for name in told.pop("modules", ()):
            try:
                importlib.import_module(name)
            except Exception:  # noqa: BLE001 - a module that is not importable by itself
                continue
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
