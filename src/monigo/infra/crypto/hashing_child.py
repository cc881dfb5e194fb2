"""The child process that hashes passwords, as its parent sees it: it is asked, and it dies."""

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import Any, Self

from monigo.core.errors import DomainError, ErrorKind

PROGRAM = Path(__file__).with_name("hashing_process.py")
# Of lowest priority, it waits for all else that the machine does; but a request may take a minute,
# and one that hangs is to be replaced before.
ANSWER_SECONDS_MAX = 50

Answer = dict[str, Any]


class HashingChild:
    """A running child, and who waits for its answers."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._asked: dict[int, asyncio.Future[Answer]] = {}
        self._reading = asyncio.create_task(self._read())
        self._is_killed = False

    @classmethod
    async def start(cls) -> Self:
        """A new child.

        Raises:
            DomainError: unavailable, where the system has no room for one.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                str(PROGRAM),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                # So that its priority can be set beside that of all others.
                start_new_session=True,
            )
        except OSError as error:
            raise _interrupted() from error
        return cls(process)

    @property
    def is_over(self) -> bool:
        """Whether it answers no more."""
        return self._is_killed or self._process.returncode is not None

    @property
    def pid(self) -> int:
        """By what the system knows it."""
        return self._process.pid

    async def ask(
        self, number: int, request: dict[str, str], seconds_max: float = ANSWER_SECONDS_MAX
    ) -> Answer:
        """What it answers; one that does not is ended.

        Raises:
            DomainError: unavailable, where it died or did not answer.
        """
        if self.is_over:
            raise _interrupted()
        future = asyncio.get_running_loop().create_future()
        self._asked[number] = future
        try:
            if self._process.stdin is not None:
                self._process.stdin.write(json.dumps({"id": number, **request}).encode() + b"\n")
            async with asyncio.timeout(seconds_max):
                return await future
        except TimeoutError as error:
            self._kill()
            raise _interrupted() from error
        finally:
            self._asked.pop(number, None)

    async def close(self) -> None:
        """End it."""
        self._kill()
        await self._reading

    def _kill(self) -> None:
        self._is_killed = True
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def _read(self) -> None:
        """Pass on its answers until it ends; then fail all requests that still wait."""
        stream = self._process.stdout
        while stream is not None and (line := await stream.readline()):
            answer: Answer = json.loads(line)
            future = self._asked.get(answer["id"])
            if future is not None and not future.done():
                future.set_result(answer)
        await self._process.wait()
        for future in self._asked.values():
            if not future.done():
                future.set_exception(_interrupted())


def _interrupted() -> DomainError:
    return DomainError(
        ErrorKind.UNAVAILABLE, "login_interrupted", "please try again", retry_after_seconds=1
    )
