"""Passwords are hashed by a child process; a flood is refused, and a dead child replaced."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from argon2 import extract_parameters

from monigo.core.errors import DomainError
from monigo.infra.crypto import Passwords, hashing_child, hashing_process
from monigo.infra.crypto.hashing_child import HashingChild
from monigo.infra.crypto.hashing_process import HASHER
from monigo.infra.crypto.passwords import NOBODYS_HASH


def in_a_process(work, **options):
    """Run with a hasher of its own."""

    async def run():
        passwords = Passwords(**options)
        try:
            return await work(passwords)
        finally:
            await passwords.close()

    return asyncio.run(run())


async def until(is_so):
    """Let others run until something is so."""
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110 - there is nothing to be told by
            await asyncio.sleep(0)


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
        asked = [asyncio.create_task(passwords.hash(f"password {n}")) for n in range(5)]
        return await asyncio.gather(*asked, return_exceptions=True)

    answers = in_a_process(work, waiting_max=3)

    assert [isinstance(answer, str) for answer in answers] == [True, True, True, False, False]
    assert [(one.code, one.retry_after_seconds) for one in answers[3:]] == [
        ("too_many_logins", 30),
        ("too_many_logins", 31),
    ], "not all of them at once"


def test_a_child_that_died_is_followed_by_another():
    async def work(passwords):
        await passwords.hash("first")
        child = passwords._child  # noqa: SLF001 - to end it as the system might
        waiting = asyncio.create_task(passwords.hash("second"))
        await until(lambda: passwords.count == 2)
        os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(DomainError, match="please try again"):
            await waiting
        return await passwords.hash("third")

    assert in_a_process(work).startswith("$argon2id$")


def test_the_child_gives_way_to_everything_else(monkeypatch):
    async def work(passwords):
        await passwords.hash("any")
        child = passwords._child.pid  # noqa: SLF001 - as above
        return (
            os.getpriority(os.PRIO_PROCESS, child),
            os.getsid(child) == child,
            autogroup(child),
        )

    monkeypatch.setattr(hashing_child, "PROGRAM", Path(hashing_process.__file__))
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
        return await passwords.hash("second"), passwords.waiting

    hashed, left = in_a_process(work)

    assert (hashed[:9], left) == ("$argon2id", 0)


@pytest.mark.parametrize(("cores", "wanted"), [(1, 1), (2, 1), (3, 1), (4, 2), (64, 2)])
def test_one_is_hashed_at_a_time_for_each_two_cores(cores, wanted):
    async def most_at_once(passwords):
        most = now = 0

        async def take():
            nonlocal most, now
            async with passwords.turn():
                now += 1
                most = max(most, now)
                await asyncio.sleep(0.01)
                now -= 1

        await asyncio.gather(*(take() for _ in range(8)))
        return most

    assert in_a_process(most_at_once, cores=cores) == wanted


def test_who_gives_up_holds_the_turn_until_the_child_has_answered():
    async def work(passwords):
        impatient = asyncio.create_task(passwords.hash("first"))
        await until(lambda: passwords.count == 1)
        impatient.cancel()
        await asyncio.gather(impatient, return_exceptions=True)
        next_one = asyncio.create_task(passwords.hash("second"))
        await asyncio.sleep(0)
        asked_meanwhile = passwords.count
        await next_one
        return asked_meanwhile, passwords.count, passwords.waiting

    assert in_a_process(work, cores=1) == (1, 2, 0)


def test_those_who_wait_behind_a_child_that_died_are_served_by_another():
    async def work(passwords):
        asked = [asyncio.create_task(passwords.hash(f"password {n}")) for n in range(4)]
        await until(lambda: passwords._child is not None)  # noqa: SLF001 - as above
        os.kill(passwords._child.pid, signal.SIGKILL)  # noqa: SLF001 - as above
        return await asyncio.gather(*asked, return_exceptions=True)

    answers = in_a_process(work, cores=1)

    assert isinstance(answers[0], DomainError)
    assert [answer[:9] for answer in answers[1:]] == ["$argon2id"] * 3


def test_a_child_that_hangs_is_ended_and_followed_by_another(monkeypatch):
    async def work(passwords):
        await passwords.hash("first")
        os.kill(passwords._child.pid, signal.SIGSTOP)  # noqa: SLF001 - as above
        with monkeypatch.context() as impatient:
            impatient.setattr(HashingChild.ask, "__defaults__", (0.5,))
            with pytest.raises(DomainError, match="please try again"):
                await passwords.hash("second")
        return await passwords.hash("third")

    assert in_a_process(work).startswith("$argon2id$")


def processor_seconds():
    """What this process took, without its children and whatever else the machine does."""
    return time.process_time()


def test_a_process_does_none_of_the_work_itself():
    async def work(passwords):
        await passwords.hash("the child is there")
        before = processor_seconds()
        await asyncio.gather(*(passwords.hash(f"password {n}") for n in range(3)))
        return processor_seconds() - before

    took = in_a_process(work)
    before = processor_seconds()
    for number in range(3):
        HASHER.hash(f"password {number}")

    assert took < (processor_seconds() - before) / 4


def test_nobodys_hash_costs_what_everybodys_does():
    assert extract_parameters(NOBODYS_HASH) == extract_parameters(HASHER.hash("any"))
