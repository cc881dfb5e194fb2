"""Passwords are hashed by a child process; a flood is refused, and a dead child replaced."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from monigo.core.errors import DomainError
from monigo.infra.crypto import Passwords


def in_a_process(work, **options):
    """Run with a hasher of its own."""

    async def run():
        passwords = Passwords(**options)
        try:
            return await work(passwords)
        finally:
            await passwords.close()

    return asyncio.run(run())


def test_a_password_is_recognised_by_its_hash_and_no_other_is():
    async def work(passwords):
        hashed = await passwords.hash("correct horse\nüß 🐎")
        same = await passwords.is_same("correct horse\nüß 🐎", hashed)
        return hashed, same, await passwords.is_same("correct horse", hashed)

    hashed, same, other = in_a_process(work)

    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert (same, other) == (True, False)


@pytest.mark.parametrize("hashed", [None, "", "no hash", "$argon2id$v=19$m=65536"])
def test_where_there_is_no_hash_no_password_is_right(hashed):
    assert in_a_process(lambda passwords: passwords.is_same("any", hashed)) is False


def test_who_comes_behind_many_is_told_to_come_again():
    async def work(passwords):
        asked = [asyncio.create_task(passwords.hash(f"password {n}")) for n in range(4)]
        return await asyncio.gather(*asked, return_exceptions=True)

    answers = in_a_process(work, waiting_max=3)

    assert [isinstance(answer, str) for answer in answers] == [True, True, True, False]
    assert (answers[3].code, answers[3].retry_after_seconds) == ("too_many_logins", 5)


def test_a_child_that_died_is_followed_by_another():
    async def work(passwords):
        await passwords.hash("first")
        child = passwords._child  # noqa: SLF001 - to end it as the system might
        waiting = asyncio.create_task(passwords.hash("second"))
        await asyncio.sleep(0)
        os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(DomainError, match="please try again"):
            await waiting
        return await passwords.hash("third")

    assert in_a_process(work).startswith("$argon2id$")


def test_the_child_gives_way_to_everything_else():
    async def work(passwords):
        await passwords.hash("any")
        child = passwords._child.pid  # noqa: SLF001 - as above
        return os.getpriority(os.PRIO_PROCESS, child), os.getsid(child) == child, autogroup(child)

    priority, is_alone, group = in_a_process(work)

    assert (priority, is_alone) == (19, True)
    # Where Linux groups sessions, the priority of the group decides first.
    assert group in {None, "nice 19"}
    assert (group is None) == (autogroup("self") is None)


def autogroup(pid):
    """The priority of a process's session, where the system has such a thing."""
    path = Path(f"/proc/{pid}/autogroup")
    return path.read_text().strip().partition(" ")[2] if path.exists() else None


def test_whoever_gave_up_leaves_nothing_behind():
    async def work(passwords):
        waiting = asyncio.create_task(passwords.hash("first"))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        return await passwords.hash("second"), len(passwords._waiting)  # noqa: SLF001 - nothing asks

    hashed, left = in_a_process(work)

    assert (hashed[:9], left) == ("$argon2id", 0)
