"""Tries one mutant after another in a copy of the checkout, with a server of its own."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Self

import asyncpg
from msgspec import Struct

from monigo.infra.db.postgres import start_embedded
from mutants.mutant import ROOT, Mutant
from mutants.recording import Usual

# A mutant may make a test slow without being wrong; this much and it hangs. What goes in circles is
# known by the processor's time, what waits for ever by the clock.
SECONDS_BESIDES = 30
SLOWER_AT_MOST = 4
COLLECT_SECONDS_MAX = 300

# pytest's exit codes.
PASSED = 0
NOTHING_COLLECTED = 5


class Outcome(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    TIMED_OUT = "timed out"
    SURVIVED = "survived"
    EQUIVALENT = "equivalent"


class Verdict(Struct, frozen=True):
    """What became of a mutant, by which test, and how long that took."""

    mutant: Mutant
    outcome: Outcome
    test: str | None = None
    tests: int = 0
    seconds: float = 0.0


class Worker:
    """A copy of the checkout under `place`, a PostgreSQL, and a process that forks."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._tree = place / "tree"
        self._runner = asyncio.Runner()
        self._zygote: subprocess.Popen[str] | None = None
        self.known: set[str] = set()

    def __enter__(self) -> Self:
        shutil.rmtree(self._tree, ignore_errors=True)
        for name in _checked_out():
            target = self._tree / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
        self._server = self._runner.run(start_embedded(self._place / "data"))
        self._runner.run(_prepare(self._server.url))
        self._zygote = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("zygote.py")],
            cwd=self._tree,
            env=self._environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        seconds = COLLECT_SECONDS_MAX * _crowded()
        collected = self._ask(["--collect-only"], seconds, keep_bytecode=True)
        if collected["status"] != PASSED:
            raise SystemExit(f"the tests can't be collected; see {self._place / 'last.log'}")
        self.known = set(collected["collected"])
        return self

    def __exit__(self, *_: object) -> None:
        if self._zygote:
            self._zygote.stdin.close()
            self._zygote.wait(10)
        self._runner.run(self._server.stop())
        self._runner.close()

    def _environment(self) -> dict[str, str]:
        ours = {name: text for name, text in os.environ.items() if not name.startswith("MONIGO_")}
        path = os.pathsep.join(str(self._tree / name) for name in ("src", "tests"))
        return ours | {"PYTHONPATH": path, "MONIGO_DATABASE_URL": self._server.url}

    def judge(self, mutant: Mutant, tests: list[str], usual: Usual) -> Verdict:
        """Run tests on a mutant, which is taken back afterwards; `usual` is how long they take."""
        target = self._tree / mutant.file
        was = target.stat()
        target.write_text(mutant.after)
        try:
            told = self._test(tests, usual)
        finally:
            target.write_text(mutant.before)
            # The bytecode of before counts as fresh again.
            os.utime(target, ns=(was.st_atime_ns, was.st_mtime_ns))
        if told["status"] is None:
            self._runner.run(_drop_leftovers(self._server.url))
        if told["status"] == NOTHING_COLLECTED:
            raise SystemExit(f"{mutant.name}: none of its tests exists: {tests}")
        return Verdict(
            mutant=mutant,
            outcome=_outcome(told),
            test=told["failed"],
            tests=len(tests),
            seconds=told["seconds"],
        )

    def failing(self, tests: list[str], usual: Usual) -> bool:
        """Whether one of the tests fails on the product as it is."""
        return _outcome(self._test(tests, usual)) is not Outcome.SURVIVED

    def _test(self, tests: list[str], usual: Usual) -> dict:
        # The first one starts the server, too, which the recording did not count.
        each = (SECONDS_BESIDES + SLOWER_AT_MOST * usual.longest) * _crowded()
        # By a thread, which ends the process: an alarm ends a test, and properties try again.
        limits = ["-o", f"timeout={each:.0f}", "-o", "timeout_method=thread"]
        arguments = ["-x", "--tb=short", *limits, *tests]
        return self._ask(
            arguments,
            (SECONDS_BESIDES + SLOWER_AT_MOST * usual.all) * _crowded(),
            busy=SECONDS_BESIDES + SLOWER_AT_MOST * usual.busy,
        )

    def _ask(
        self,
        arguments: list[str],
        seconds: float,
        *,
        busy: float = COLLECT_SECONDS_MAX,
        keep_bytecode: bool = False,
    ) -> dict:
        job = {
            "arguments": [*arguments, "-p", "no:cacheprovider", "-p", "no:xdist"],
            "seconds_max": seconds,
            "busy_seconds_max": round(busy),
            "log": str(self._place / "last.log"),
            "keep_bytecode": keep_bytecode,
        }
        self._zygote.stdin.write(json.dumps(job) + "\n")
        self._zygote.stdin.flush()
        return json.loads(self._zygote.stdout.readline())


def _crowded() -> float:
    """How many times longer everything takes while others use the machine, too."""
    return max(os.getloadavg()[0] / (os.cpu_count() or 1), 1.0)


def _outcome(told: dict) -> Outcome:
    if told["status"] is None:
        return Outcome.TIMED_OUT
    return Outcome.SURVIVED if told["status"] == PASSED else Outcome.KILLED


def _checked_out() -> list[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


async def _prepare(url: str) -> None:
    """Nothing here must survive a power cut."""
    connection = await asyncpg.connect(url)
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        await connection.execute(f"ALTER SYSTEM SET {setting} = off")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()
    await _drop_leftovers(url)


async def _drop_leftovers(url: str) -> None:
    connection = await asyncpg.connect(url)
    left = await connection.fetch(
        "SELECT datname FROM pg_database WHERE datname ~ '^monigo_(test|fresh)_'"
    )
    for row in left:
        await connection.execute(f"DROP DATABASE IF EXISTS {row['datname']} WITH (FORCE)")
    await connection.close()
