"""Waits: at the start for a database that is starting, too; between two looks for a stop."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from monigo.core.errors import DomainError, ErrorKind
from monigo.infra.db import as_unavailable
from monigo.infra.logging import logger

log = logger(__name__)

# A server that recovers takes a while; a wrong address should be reported before people give up.
WAIT_SECONDS_MAX = 60
RETRY_SECONDS = 0.5

Result = TypeVar("Result")


async def until_available(action: Callable[[], Awaitable[Result]]) -> Result:
    """The result of an action that is safe to repeat, tried until the database is there.

    Raises:
        Exception: what the last try raised, after a minute; at once whatever else went wrong.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + WAIT_SECONDS_MAX
    while True:
        try:
            return await action()
        except Exception as error:
            if not _passes(error) or loop.time() > deadline:
                raise
            log.warning("waiting for the database", reason=str(error))
            await asyncio.sleep(RETRY_SECONDS)


async def stopped_within(stop: asyncio.Event, seconds: float) -> bool:
    """Wait so long, or until `stop` is set; whether it is."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return False
    return True


def _passes(error: Exception) -> bool:
    if isinstance(error, DomainError):
        return error.kind is ErrorKind.UNAVAILABLE
    return as_unavailable(error) is not None
