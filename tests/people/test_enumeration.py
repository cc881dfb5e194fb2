"""Whether an e-mail has an account can't be told: both ways do the same work."""

import re
from collections import Counter

import asyncpg
import pytest

from support.mail import code_in


class Watched:
    """Counts what the database is asked, as text without values, and what is hashed."""

    def __init__(self, backend, monkeypatch):
        self._backend = backend
        self._statements = Counter()
        watched = self

        def counted(method):
            original = getattr(asyncpg.Connection, method)

            async def ask(connection, query, *arguments, **options):
                watched._statements[" ".join(re.sub(r"'[^']*'", "?", query).split())] += 1
                return await original(connection, query, *arguments, **options)

            return ask

        for method in ("execute", "fetch", "fetchrow", "fetchval"):
            monkeypatch.setattr(asyncpg.Connection, method, counted(method))

    def work_of(self, person, act):
        """The answer to what somebody asks, and what it cost."""
        passwords = self._backend.services.people.passwords
        self._statements.clear()
        hashes, mails = passwords.count, len(person.mails())
        self._statements.clear()
        answer = act()
        statements = Counter(self._statements)
        cost = (statements, passwords.count - hashes, len(person.mails()) - mails)
        return (answer.status_code, answer.text), cost


@pytest.fixture
def watched(backend, monkeypatch):
    return Watched(backend, monkeypatch)


@pytest.fixture
def warm(ada):
    """What is asked once a day or process is behind us."""
    ada.login(password="not this one")
    ada.ask("forgot-password", email=ada.email)
    return ada


@pytest.mark.usefixtures("warm")
def test_logging_in_costs_the_same_whoever_has_the_email(watched, person, bola):
    known = watched.work_of(bola, lambda: bola.login(password="not this one"))
    unknown = watched.work_of(person, lambda: person.login(password="not this one"))

    assert known == unknown
    assert known[1][1:] == (1, 0)
    assert known[1][0].total() >= 8


@pytest.mark.usefixtures("warm")
def test_forgetting_costs_the_same_whoever_has_the_email(watched, person, bola):
    known = watched.work_of(bola, lambda: bola.ask("forgot-password", email=bola.email))
    unknown = watched.work_of(person, lambda: person.ask("forgot-password", email=person.email))

    assert known == unknown
    assert known[1][1:] == (0, 1)


@pytest.mark.usefixtures("warm")
def test_resending_costs_the_same_whoever_has_the_email(watched, person, bola):
    known = watched.work_of(bola, lambda: bola.ask("resend-verification", email=bola.email))
    unknown = watched.work_of(person, lambda: person.ask("resend-verification", email=person.email))

    assert known == unknown
    assert known[1][1:] == (0, 1)


@pytest.mark.usefixtures("warm")
def test_a_wrong_reset_code_costs_the_same_whoever_has_the_email(watched, person, bola):
    for one in (bola, person):
        one.ask("forgot-password", email=one.email)
    guess = f"{(int(code_in(bola.mails()[-1])) + 1) % 1_000_000:06d}"

    def check(one):
        return one.ask("verify-reset-code", email=one.email, code=guess)

    # Of the unknown e-mail nobody reads the mail; to be sure, the guess is not its code.
    known = watched.work_of(bola, lambda: check(bola))
    unknown = watched.work_of(person, lambda: check(person))

    assert known == unknown
    assert known[1][1:] == (0, 0)
