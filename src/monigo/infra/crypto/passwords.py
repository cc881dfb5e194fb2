"""Hashes and compares passwords in a child process, whose work no request but a login waits for.

Each caller takes a *turn*. There are few at once, and few may wait for one, so that a flood of
log-ins takes neither the processor nor the database from others: the queries of a log-in before its
password is compared belong into its turn.
"""

import asyncio
import itertools
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from monigo.core.errors import DomainError, ErrorKind
from monigo.infra.crypto.hashing_child import Answer, HashingChild

# In turns and behind them. Some seconds' work; who comes later would wait longer than people do.
WAITING_MAX = 50
# Each refusal takes a millisecond of the process that serves all others. A thousand people who come
# again after so long, each second some of them, take a fiftieth of it (bench/logins.py).
RETRY_AFTER_SECONDS = 30
RETRY_SPREAD_SECONDS = 30
# Each takes 64 MiB, and one of two processors for a tenth of a second.
AT_ONCE_MAX = 2
CORES_FOR_ONE = 2
# Of "no such person": compared with where there is no hash, so that it takes the same time.
NOBODYS_HASH = (
    "$argon2id$v=19$m=65536,t=3,p=1"
    "$bm9ib2R5J3Mgb3duIHNhbA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)


def at_once(cores: int) -> int:
    """How many passwords are hashed at a time: one for each two cores, and two at most."""
    return min(AT_ONCE_MAX, max(1, cores // CORES_FOR_ONE))


class Turn:
    """A turn: what its caller may ask of the child process."""

    def __init__(self, passwords: "Passwords") -> None:
        self._passwords = passwords
        self.asked: asyncio.Task[Answer] | None = None

    async def hash(self, password: str) -> str:
        """What is kept of a password.

        Raises:
            DomainError: unavailable, where the child died.
        """
        return (await self._ask({"password": password}))["hash"]

    async def is_same(self, password: str, hashed: str | None) -> bool:
        """Whether a password is the one of a hash; it takes as long where there is none.

        Raises:
            DomainError: unavailable, where the child died.
        """
        answer = await self._ask({"password": password, "hash": hashed or NOBODYS_HASH})
        return hashed is not None and answer["is_same"]

    async def _ask(self, request: dict[str, str]) -> Answer:
        # A cancelled caller does not stop the child, which works until it answers.
        self.asked = asyncio.create_task(self._passwords.ask(request))
        return await asyncio.shield(self.asked)


class Passwords:
    """Gives turns at the child process, which is started when it is first needed."""

    def __init__(self, waiting_max: int = WAITING_MAX, *, cores: int | None = None) -> None:
        self._waiting_max = waiting_max
        self._turns = asyncio.Semaphore(at_once(cores or _cores()))
        self._numbers = itertools.count()
        self._refused = itertools.cycle(range(RETRY_SPREAD_SECONDS))
        self._starting = asyncio.Lock()
        self._child: HashingChild | None = None
        # In turns and behind them.
        self.waiting = 0
        # How many passwords were hashed or compared; tests compare the cost of two responses by it.
        self.count = 0

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[Turn]:
        """Wait for a turn, and have it.

        Raises:
            DomainError: rate_limited, where too many wait.
        """
        if self.waiting >= self._waiting_max:
            raise DomainError(
                ErrorKind.RATE_LIMITED,
                "too_many_logins",
                "too many people sign in at this moment",
                retry_after_seconds=RETRY_AFTER_SECONDS + next(self._refused),
            )
        self.waiting += 1
        try:
            await self._turns.acquire()
            turn = Turn(self)
            try:
                yield turn
            finally:
                self._end(turn)
        finally:
            self.waiting -= 1

    async def hash(self, password: str) -> str:
        """What is kept of a password, in a turn of its own.

        Raises:
            DomainError: rate_limited, where too many wait; unavailable, where the child died.
        """
        async with self.turn() as turn:
            return await turn.hash(password)

    async def is_same(self, password: str, hashed: str | None) -> bool:
        """Whether a password is the one of a hash, in a turn of its own.

        Raises:
            DomainError: rate_limited, where too many wait; unavailable, where the child died.
        """
        async with self.turn() as turn:
            return await turn.is_same(password, hashed)

    async def ask(self, request: dict[str, str]) -> Answer:
        """What the child answers; only a turn asks."""
        self.count += 1
        async with self._starting:
            if self._child is None or self._child.is_over:
                self._child = await HashingChild.start()
            child = self._child
        return await child.ask(next(self._numbers), request)

    async def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is not None:
            await child.close()

    def _end(self, turn: Turn) -> None:
        """Let the next one have its turn, once the child has answered."""
        if turn.asked is None or turn.asked.done():
            self._turns.release()
        else:
            turn.asked.add_done_callback(self._answered_late)

    def _answered_late(self, asked: asyncio.Task[Answer]) -> None:
        self._turns.release()
        if not asked.cancelled():
            asked.exception()  # Nobody is there who would want to know.


def _cores() -> int:
    """How many cores this process may use."""
    known = getattr(os, "sched_getaffinity", None)
    return len(known(0)) if known else os.cpu_count() or 1
