"""People's accounts under kills and floods: what was answered stays, and the rest goes on."""

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import httpx
import pytest

from monigo.infra.crypto.hashing_process import HASHER
from support.api import event
from support.mail import MailServer, code_in
from support.process import Program
from support.waiting import wait_until

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="finds the database's processes in /proc"
)

PASSWORD, NEW_PASSWORD = "four words are enough", "five other words are enough"
# How many ask; so many are answered before all dies; the others are under way or not begun.
PEOPLE, ACKNOWLEDGED = 9, 4
# More than may wait for a password to be compared.
FLOOD = 150
AT_ONCE = 3
REGISTERED = "SELECT email FROM registrations WHERE email LIKE $1 || '-%'"
USERS = "SELECT email, count(*) AS count FROM users WHERE email LIKE $1 || '-%' GROUP BY email"
JOINED = """
    SELECT email, count(*) AS count FROM memberships
    JOIN users ON users.id = memberships.user_id WHERE org_id = $1 AND role <> 'owner'
    GROUP BY email
"""
ACCEPTED = "SELECT email FROM invitations WHERE org_id = $1 AND status = 'accepted'"
PLANTED = """
    INSERT INTO users (id, email, full_name, password_hash, created_at, updated_at)
    SELECT gen_random_uuid(), email, email, $2, now(), now() FROM unnest($1::text[]) AS email
"""


@pytest.fixture(scope="module")
def mail():
    with MailServer() as server:
        yield server


@pytest.fixture(scope="module")
def program(tmp_path_factory, mail):
    """A program that mails, and that people reach by a proxy."""
    settings = {"smtp_url": mail.url, "trusted_proxies": "127.0.0.1/32"}
    with Program(tmp_path_factory.mktemp("people") / "data", **settings) as running:
        yield running


class Crowd:
    """People of one name who ask all at once, each from an address of their own."""

    def __init__(self, program, mail, name):
        self.program, self.mail, self.name = program, mail, name
        self.owner = f"{name}-owner@example.com"
        self.people = [f"{name}-{number}@example.com" for number in range(PEOPLE)]

    def ask(self, email, path, token=None, /, **body):
        """An answer; None where the program died before it gave one."""
        number = [self.owner, *self.people].index(email)
        headers = {"X-Forwarded-For": f"203.0.113.{number}"}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        url = f"{self.program.url}/api/v1/{path}"
        try:
            return httpx.post(url, json=body, headers=headers, timeout=30)
        except httpx.TransportError:
            return None

    def have_accounts(self):
        """Plant accounts of everybody and of an owner, who all have one password."""
        self.rows(PLANTED, [self.owner, *self.people], HASHER.hash(PASSWORD))

    def log_in(self, email, password=PASSWORD):
        return self.ask(email, "auth/login", email=email, password=password)

    def until_all_dies(self, ask):
        """Have everybody ask, and kill all once some are answered; who was, and with what."""
        enough, answered = threading.Event(), {}

        def one(email):
            answer = ask(email)
            if answer is not None:
                answered[email] = answer
            if len(answered) >= ACKNOWLEDGED:
                enough.set()

        with ThreadPoolExecutor(AT_ONCE) as pool:
            waiting = [pool.submit(one, email) for email in self.people]
            assert enough.wait(60), [each.exception(0) for each in waiting if each.done()]
            self.program.kill()
            for each in waiting:
                each.result()
        self.program.start()
        assert {answer.is_success for answer in answered.values()} == {True}, answered
        assert len(answered) < PEOPLE
        return answered

    def mails_to(self, email, subject):
        return [
            one for one in self.mail.received if one["To"] == email and subject in one["Subject"]
        ]

    def code_of(self, email, subject):
        """The code that was mailed; a mail that was sent twice is the same one."""
        found = wait_until(lambda: self.mails_to(email, subject))
        assert len({one["Message-ID"] for one in found}) == 1
        return code_in(found[-1])

    def rows(self, query, *arguments):
        return asyncio.run(_fetch(self.program.credentials()["database_url"], query, arguments))


async def _fetch(url, query, arguments):
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(query, *arguments)
    finally:
        await connection.close()


def test_registrations_and_their_mailed_codes_survive_the_death_of_all(program, mail):
    crowd = Crowd(program, mail, "ada")

    def register(email):
        return crowd.ask(email, "auth/register", email=email, full_name="Ada", password=PASSWORD)

    registered = crowd.until_all_dies(register)
    kept = {row["email"] for row in crowd.rows(REGISTERED, crowd.name)}
    late = [register(email).status_code for email in crowd.people if email not in kept]
    codes = {email: crowd.code_of(email, "is your code") for email in crowd.people}

    def verify(email):
        return crowd.ask(email, "auth/verify-email", email=email, code=codes[email])

    verified = crowd.until_all_dies(verify)
    again = {email: verify(email).status_code for email in crowd.people}

    assert set(registered) <= kept
    assert set(late) == {201}
    assert {again[email] for email in verified} == {400}
    assert {crowd.log_in(email).status_code for email in crowd.people} == {200}
    assert {row["email"]: row["count"] for row in crowd.rows(USERS, crowd.name)} == dict.fromkeys(
        crowd.people, 1
    )


def test_new_passwords_survive_the_death_of_all(program, mail):
    crowd = Crowd(program, mail, "bola")
    crowd.have_accounts()

    def forget(email):
        return crowd.ask(email, "auth/forgot-password", email=email)

    forgotten = crowd.until_all_dies(forget)
    tokens = {
        email: crowd.ask(
            email,
            "auth/verify-reset-code",
            email=email,
            code=crowd.code_of(email, "is your code"),
        ).json()["reset_token"]
        for email in forgotten
    }
    (first, *others) = forgotten
    changed = crowd.ask(
        first, "auth/reset-password", reset_token=tokens[first], new_password=NEW_PASSWORD
    )
    program.kill()
    program.start()
    again = crowd.ask(
        first, "auth/reset-password", reset_token=tokens[first], new_password="a third password"
    )

    assert (changed.status_code, again.status_code) == (200, 400)
    assert crowd.log_in(first, NEW_PASSWORD).status_code == 200
    assert crowd.log_in(first).status_code == 401
    assert len(wait_until(lambda: crowd.mails_to(first, "Your password was changed"))) >= 1
    assert {crowd.log_in(email).status_code for email in others} == {200}


def test_accepted_invitations_survive_the_death_of_all(program, mail):
    crowd = Crowd(program, mail, "chidi")
    crowd.have_accounts()
    owner = crowd.log_in(crowd.owner).json()["access_token"]
    made = crowd.ask(crowd.owner, "organizations", owner, name="Lagos Rides")
    org_id = made.json()["organization"]["id"]
    tokens = {email: crowd.log_in(email).json()["access_token"] for email in crowd.people}
    invited = {
        email: crowd.ask(
            crowd.owner,
            f"organizations/{org_id}/invite",
            owner,
            email=email,
            role="member",
        ).json()["invitation"]["id"]
        for email in crowd.people
    }

    def accept(email):
        return crowd.ask(email, "invitations/accept", tokens[email], token=invited[email])

    accepted = crowd.until_all_dies(accept)
    members = {row["email"] for row in crowd.rows(JOINED, org_id)}
    again = {email: accept(email).status_code for email in crowd.people}

    assert set(accepted) <= members
    assert {email for email, status in again.items() if status == 200} == set(
        crowd.people
    ) - members
    assert {again[email] for email in members} == {404}
    assert {row["email"]: row["count"] for row in crowd.rows(JOINED, org_id)} == dict.fromkeys(
        crowd.people, 1
    )
    assert {row["email"] for row in crowd.rows(ACCEPTED, org_id)} == set(crowd.people)
    assert sorted(entries_of(crowd, owner, org_id)) == crowd.people


def entries_of(crowd, owner, org_id):
    """By whom invitations were accepted, as the log says, one for each entry."""
    url = f"{crowd.program.url}/api/v1/audit-logs"
    answer = httpx.get(
        url,
        params={"org_id": org_id, "action": "accept_invitation", "limit": 100},
        headers={"Authorization": f"Bearer {owner}"},
    )
    assert answer.status_code == 200, answer.text
    return [entry["actor_name"] for entry in answer.json()["audit_logs"]]


async def wrong_log_ins(crowd):
    """The answers to many wrong log-ins at once, each from another address."""
    url = f"{crowd.program.url}/api/v1/auth/login"
    limits = httpx.Limits(max_connections=FLOOD)
    async with httpx.AsyncClient(timeout=120, limits=limits) as client:
        return await asyncio.gather(
            *(
                client.post(
                    url,
                    json={"email": f"{crowd.name}-{number}@example.com", "password": "a wrong one"},
                    headers={"X-Forwarded-For": f"198.51.100.{number}"},
                )
                for number in range(FLOOD)
            )
        )


def test_a_flood_of_log_ins_stops_neither_events_nor_health(program, mail):
    crowd = Crowd(program, mail, "dayo")
    crowd.have_accounts()
    meanwhile = []

    with program.client() as client, ThreadPoolExecutor(1) as pool:
        client.post("/v1/customers", json={"external_id": "c1"}).raise_for_status()
        flood = pool.submit(asyncio.run, wrong_log_ins(crowd))
        while not flood.done() or not meanwhile:
            one = event(f"flood-{len(meanwhile)}")
            meanwhile.append(client.post("/v1/ingest", json={"events": [one]}).status_code)
            meanwhile.append(client.get("/healthz").status_code)
    answers = {(one.status_code, one.json()["code"]) for one in flood.result()}
    waits = [int(one.headers["Retry-After"]) for one in flood.result() if one.status_code == 429]

    assert answers == {(401, "wrong_credentials"), (429, "too_many_logins")}
    assert 30 <= min(waits) < max(waits) <= 60
    assert set(meanwhile) == {200, 202}
    assert crowd.log_in(crowd.owner).status_code == 200
