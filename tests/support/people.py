"""A person's client: registered by a code from a real mail, signed in, in organisations."""

import itertools
import random
from functools import cache

import httpx

from monigo.infra import agenda
from monigo.infra.crypto.hashing_process import HASHER
from monigo.infra.db import INSTALLATION, Tenant
from support.error_codes import check_refusal
from support.mail import code_in, token_in

PASSWORD = "four words are enough"
PLANTED_CODE = "135790"
_counter = itertools.count(1)


def new_email():
    return f"person-{next(_counter)}@example.com"


class Person:
    """Asks as a browser of somebody at an address of their own. Answers are raw responses."""

    def __init__(self, backend, email=None, **headers):
        self.backend = backend
        self.email = email or new_email()
        self.password = PASSWORD
        self.tokens = {}
        self.address = ".".join(str(random.randrange(1, 250)) for _ in range(4))
        self.http = httpx.Client(
            base_url=f"{backend.url}/api/v1",
            headers={"X-Forwarded-For": self.address, "User-Agent": "curl/8.0", **headers},
            timeout=60,
            event_hooks={"response": [check_refusal]},
        )
        self.get, self.post, self.put = self.http.get, self.http.post, self.http.put
        self.patch, self.delete = self.http.patch, self.http.delete

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.close()

    @classmethod
    def signed_in(cls, backend, email=None, **headers):
        """A new person who has just shown whose the e-mail is."""
        person = cls(backend, email, **headers)
        _plant_registration(backend, person.email)
        person.keep(person.verify(PLANTED_CODE))
        return person

    @property
    def user_id(self):
        return self.tokens["user"]["id"]

    def ask(self, path, **body):
        """POST /auth/…"""
        return self.post(f"/auth/{path}", json=body)

    def register(self, **changed):
        body = {"email": self.email, "full_name": "Ada Obi", "password": self.password}
        return self.ask("register", **{**body, **changed})

    def verify(self, code=None):
        code = code or code_in(self.mails()[-1])
        return self.ask("verify-email", email=self.email, code=code)

    def login(self, **changed):
        return self.ask("login", **{"email": self.email, "password": self.password, **changed})

    def refresh(self, token=None):
        return self.ask("refresh-token", refresh_token=token or self.tokens["refresh_token"])

    def keep(self, answer):
        """Go on with the tokens of an answer."""
        assert answer.status_code == 200, answer.text
        self.tokens = answer.json()
        self.http.headers["Authorization"] = f"Bearer {self.tokens['access_token']}"
        return self

    def mails(self, tenant=INSTALLATION):
        """What was mailed to the person, after all that waits is sent."""
        return mails_to(self.backend, self.email, tenant)

    def found(self, name="Lagos Rides", **fields):
        """A new organisation of the person's."""
        answer = self.post("/organizations", json={"name": name, **fields})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def invite(self, org_id, email, role="member"):
        return self.post(f"/organizations/{org_id}/invite", json={"email": email, "role": role})

    def join(self, other, org_id, role="member"):
        """Have somebody else invited, who accepts."""
        answer = self.invite(org_id, other.email, role)
        assert answer.status_code == 201, answer.text
        token = token_in(other.mails(Tenant(org_id, is_test=False))[-1])
        accepted = other.post("/invitations/accept", json={"token": token})
        assert accepted.status_code == 200, accepted.text


@cache
def _hashed():
    """The hash of everybody's password: the product's own way takes a while for each."""
    return HASHER.hash(PASSWORD)


def _plant_registration(backend, email):
    """Somebody who has registered and been mailed a code."""
    vault, now = backend.services.people.vault, backend.clock.now()
    backend.sql(
        "WITH made AS (INSERT INTO registrations"
        " (id, email, full_name, password_hash, address_hash, created_at)"
        " VALUES (gen_random_uuid(), $1, 'Ada Obi', $2, '', $3) RETURNING id)"
        " INSERT INTO email_codes (id, email, purpose, is_link, code_hash, registration_id,"
        " address_hash, failed_attempts, created_at, expires_at)"
        " SELECT gen_random_uuid(), $1, 'verify_email', false, $4, id, '', 0, $3,"
        " $3 + interval '1 minute' FROM made",
        email,
        _hashed(),
        now,
        vault.keyed_hash("mailed code", PLANTED_CODE, context=b"verify_email"),
    )


def mails_to(backend, email, tenant=INSTALLATION):
    """What was mailed to somebody, after all that waits of a tenant is sent."""
    task = backend.services.people.mailer.task
    backend.run(agenda.work_off(backend.services.database, task, tenant))
    return [one for one in backend.mail.received if one["To"] == email]
