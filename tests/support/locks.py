"""Requests that hang on a row lock, to look at the system while they run."""

import asyncio
import threading
import time
from contextlib import contextmanager

import asyncpg


@contextmanager
def hanging(backend, request, query, *arguments, commits=False):
    """Run `request` in a thread while `query` locks a row that it needs; yields its answers.

    The block begins when the request hangs on the lock, and its answer is there after the block.
    What the query changed is undone, unless it `commits`.
    """
    answers = []
    thread = threading.Thread(target=lambda: answers.append(request()))
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(backend.owner_url))
        try:
            runner.run(connection.execute("BEGIN"))
            runner.run(connection.fetch(query, *arguments))
            thread.start()
            wait_until_blocked(backend)
            yield answers
            runner.run(connection.execute("COMMIT" if commits else "ROLLBACK"))
        finally:
            runner.run(connection.close())
            thread.join(30)


def wait_until_blocked(backend):
    """Return when somebody waits for a lock."""
    deadline = time.monotonic() + 10
    while not backend.sql("SELECT 1 FROM pg_locks WHERE NOT granted"):
        assert time.monotonic() < deadline, "the request never came to the lock"
        time.sleep(0.01)
