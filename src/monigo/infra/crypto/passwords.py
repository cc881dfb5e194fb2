"""Hashes and compares passwords in a child process, whose work no request but a login waits for."""

import asyncio
import contextlib
import itertools
import json
import sys
from pathlib import Path
from typing import Any

from monigo.core.errors import DomainError, ErrorKind

PROGRAM = Path(__file__).with_name("hashing_process.py")
# Some seconds' work; who comes behind them would wait longer than people do.
WAITING_MAX = 50
RETRY_AFTER_SECONDS = 5
# Of "no such person": compared with where there is no hash, so that it takes the same time.
NOBODYS_HASH = (
    "$argon2id$v=19$m=65536,t=3,p=1$bm9ib2R5J3Mgc2FsdCE$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)

Answer = dict[str, Any]


class Passwords:
    """Asks the child process, which is started when it is first needed."""

    def __init__(self, waiting_max: int = WAITING_MAX) -> None:
        self._waiting_max = waiting_max
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._starting = asyncio.Lock()
        self._child: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        # How many passwords were hashed or compared; tests compare the cost of two responses by it.
        self.count = 0

    async def hash(self, password: str) -> str:
        """What is kept of a password.

        Raises:
            DomainError: rate_limited, where too many wait; unavailable, where the child died.
        """
        return (await self._ask({"password": password}))["hash"]

    async def is_same(self, password: str, hashed: str | None) -> bool:
        """Whether a password is the one of a hash; it takes as long where there is none.

        Raises:
            DomainError: rate_limited, where too many wait; unavailable, where the child died.
        """
        answer = await self._ask({"password": password, "hash": hashed or NOBODYS_HASH})
        return hashed is not None and answer["is_same"]

    async def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is not None and child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
        if self._reading is not None:
            await self._reading

    async def _ask(self, request: dict[str, Any]) -> Answer:
        if len(self._waiting) >= self._waiting_max:
            raise DomainError(
                ErrorKind.RATE_LIMITED,
                "too_many_logins",
                "too many people sign in at this moment",
                retry_after_seconds=RETRY_AFTER_SECONDS,
            )
        self.count += 1
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            child = await self._started()
            stream = child.stdin
            if stream is not None:
                stream.write(json.dumps({"id": number, **request}).encode() + b"\n")
            return await self._waiting[number]
        finally:
            self._waiting.pop(number, None)

    async def _started(self) -> asyncio.subprocess.Process:
        async with self._starting:
            if self._child is None or self._child.returncode is not None:
                self._child = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-I",
                    str(PROGRAM),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    # So that its priority can be set beside that of all others.
                    start_new_session=True,
                )
                self._reading = asyncio.create_task(self._read(self._child))
            return self._child

    async def _read(self, child: asyncio.subprocess.Process) -> None:
        """Pass on the child's answers until it ends; then fail all requests that still wait."""
        while child.stdout is not None and (line := await child.stdout.readline()):
            answer: Answer = json.loads(line)
            future = self._waiting.get(answer["id"])
            if future is not None and not future.done():
                future.set_result(answer)
        await child.wait()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(
                    DomainError(
                        ErrorKind.UNAVAILABLE,
                        "login_interrupted",
                        "please try again",
                        retry_after_seconds=1,
                    )
                )
