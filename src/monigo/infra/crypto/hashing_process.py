"""The child process that hashes passwords, run as a script so that it loads nothing else of ours.

Each line on standard input is a request in JSON, each line on standard output its answer:
`{"id", "password"}` is hashed, `{"id", "password", "hash"}` compared. It ends when its input does.
"""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import error_to_str

# RFC 9106's second choice (64 MiB, three passes), one lane: the threads below are what is parallel.
HASHER = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=1, type=Type.ID)
# Of the child and of its session: where others want all of the processor, it gets a fiftieth of
# what one of them does, and a hash takes some seconds (bench/logins.py).
LOWEST_PRIORITY = 19
NO_MEMORY = error_to_str(-22)  # ARGON2_MEMORY_ALLOCATION_ERROR
# How much a session's processes get together, where Linux weighs sessions against each other.
AUTOGROUP = Path("/proc/self/autogroup")
# The kernel takes one such change in a tenth of a second, of anybody's.
AUTOGROUP_TRIES = 20
AUTOGROUP_RETRY_SECONDS = 0.11


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """The hash of a password, or whether it is the password of a hash."""
    if "hash" not in asked:
        return {"id": asked["id"], "hash": HASHER.hash(asked["password"])}
    try:
        is_same = HASHER.verify(asked["hash"], asked["password"])
    except (InvalidHashError, UnicodeEncodeError):
        is_same = False
    except VerificationError as error:
        if str(error) == NO_MEMORY:
            raise  # Which says nothing about the password.
        is_same = False
    return {"id": asked["id"], "is_same": is_same}


def give_way() -> None:
    """Take the lowest priority, however high that of the parent is.

    Without the group's, a process of lowest priority still gets as much as all processes of another
    session together. It must be the only one in its session. Idle work (SCHED_IDLE) it is not: that
    gets a fifth of this again, and a log-in would wait for minutes where a processor is never idle.
    """
    os.setpriority(os.PRIO_PROCESS, 0, LOWEST_PRIORITY)
    for _ in range(AUTOGROUP_TRIES):
        try:
            AUTOGROUP.write_text(str(LOWEST_PRIORITY))
        except BlockingIOError:
            time.sleep(AUTOGROUP_RETRY_SECONDS)
        except OSError:
            return  # Not a Linux that groups.
        else:
            return


def main() -> None:
    """Answer requests until there are no more."""
    give_way()
    writing = Lock()

    def respond(line: str) -> None:
        try:
            text = json.dumps(answer(json.loads(line)))
        except BaseException:  # noqa: BLE001 - no memory, say: another child may fare better
            os._exit(1)
        with writing:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()

    with ThreadPoolExecutor() as pool:  # As many threads as its parent asks at once.
        for line in sys.stdin:
            pool.submit(respond, line)


if __name__ == "__main__":
    main()
