"""What must stay secret is nowhere in the clear: not in rows, logs, files, answers or documents.

A merchant uses keys, cards, proofs of identity and passwords that were planted, well and badly.
Then all that the program wrote is searched for them, as text, in hexadecimal and in base64.
"""

import asyncio
import base64
import hashlib
import json
import re
import sys
import time
from pathlib import Path

import asyncpg
import httpx
import pytest

from support.process import Program

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="runs the program itself")

SECRET_KEY = "a-secret-key-that-was-planted-for-the-search"
# Each is a text that nothing else contains.
PLANTED = {
    "the installation's key": SECRET_KEY,
    "a provider's key": "sk_test_planted0d5b1c7e",
    "another provider's key": "FLWSECK_TEST-planted0d5b1c7e-X",
    "a webhook's secret": "planted-hash-0d5b1c7e",
    "a provider's secret": "PLANTEDMONNIFY0D5B1C7E",
    "a refused key": "sk_test_planted-and-refused, really",
    "a bvn": "22209876543",
    "a nin": "70209876541",
    "a password": "planted pelican 0d5b1c7e",
    "a wrong password": "planted penguin 0d5b1c7e",
    "an api key that is none": "mk_test_planted0d5b1c7e",
}
EMAIL = "owner@planted.example"
# Files that are there to hold secrets, readable by their owner only; and what the simulator has,
# which is the provider's.
OF_OWNERS = {"credentials.json", "secret.key", "app.password", "simulator.jsonl"}
TABLES = """
    SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""
SETTLED_SECONDS_MAX = 30
# The process that hashes passwords has the lowest priority.
HASHED_SECONDS_MAX = 120


class Merchant:
    """Uses the program's routes, and keeps what was answered."""

    def __init__(self, program):
        self.program = program
        self.answers = []
        self.client = httpx.Client(
            base_url=program.url,
            headers={"Authorization": f"Bearer {program.credentials()['test_api_key']}"},
            timeout=60,
            event_hooks={"response": [self._keep]},
        )

    def _keep(self, answer):
        answer.read()
        self.answers.append(f"{answer.headers} {answer.text}")

    def make(self, path, body, **more):
        answer = self.client.post(path, json=body, **more)
        assert answer.is_success, answer.text
        return answer.json()

    def control(self, action, **body):
        url = self.program.credentials()["simulator_url"]
        assert httpx.post(f"{url}/control/{action}", json=body).status_code == 200


@pytest.fixture(scope="module")
def traces(tmp_path_factory):
    """The program's directory, its log and answers after all of it, by name."""
    where = tmp_path_factory.mktemp("planted")
    settings = {"secret_key": SECRET_KEY, "log_level": "debug", "simulator_port": 0}
    with Program(where / "data", **settings) as program:
        merchant = Merchant(program)
        accounts = use_connections(merchant)
        use_people(program, merchant)
        use_badly(merchant)
        for path in ("/openapi.json", "/docs", "/metrics", "/v1/payment-connections"):
            merchant.client.get(path)
        rows = asyncio.run(rows_of(program.credentials()["database_url"]))
        program.terminate()
        program.wait()
        yield {
            "tokens": tokens_of(program),
            "accounts": accounts,
            "rows": rows,
            "answers": "\n".join(merchant.answers),
            "log": program.log.read_text(),
            "files": files_of(where),
        }


def use_connections(merchant):
    """Keys are stored and replaced; cards, links, refunds and accounts go through them."""
    keys = {
        "paystack": {"test_secret_key": PLANTED["a provider's key"]},
        "flutterwave": {
            "test_secret_key": PLANTED["another provider's key"],
            "webhook_signing_secret": PLANTED["a webhook's secret"],
        },
        "monnify": {
            "test_secret_key": PLANTED["a provider's secret"],
            "test_public_key": "MK_TEST_PLANTED",
            "settings": {"contract_code": "4934121686", "source_account_number": "3934178936"},
        },
    }
    customer = {"external_id": "ada", "email": "ada@planted.example", "name": "Ada Obi"}
    merchant.make("/v1/customers", customer)
    body = {"customer_id": "ada", "currency": "NGN"}
    wallet = merchant.make("/v1/wallets", body)["wallet"]["id"]
    accounts = []
    for provider, own in keys.items():
        body = {"provider": provider, "is_test_mode": True, "label": f"own {provider}", **own}
        made = merchant.make("/v1/payment-connections", body, headers=key(provider))
        connection = made["payment_connection"]
        path = merchant.program.url + connection["webhook_path"]
        secret = own.get("webhook_signing_secret", "")
        merchant.control(
            "merchants",
            provider=provider,
            secret_key=own["test_secret_key"],
            public_key=own.get("test_public_key", ""),
            webhook_url=path,
            webhook_secret=secret,
        )
        default = {"default_for": {"collect": ["NGN"], "pay_out": ["NGN"]}}
        answer = merchant.client.put(f"/v1/payment-connections/{connection['id']}", json=default)
        assert answer.is_success, answer.text
        for verb, fault in (("virtual_account", "500"), ("checkout", "drop_after_commit")):
            merchant.control("next", provider=provider, verb=verb, outcome=fault)
        proofs = {"bvn": PLANTED["a bvn"], "nin": PLANTED["a nin"]}
        body = {"provider": provider, "currency": "NGN", **proofs}
        path = f"/v1/wallets/{wallet}/virtual-accounts"
        first = merchant.client.post(path, json=body, headers=key(f"{provider} account"))
        assert first.status_code in {201, 503}, first.text
        again = merchant.make(path, body, headers=key(f"{provider} account"))
        accounts.append(again["virtual_account"]["account_number"])
        save_card(merchant, provider)
    return accounts


def save_card(merchant, provider):
    """A card is saved through a connection; its token is the provider's."""
    path = "/v1/customers/ada/payment-methods/setup"
    wanted = {"provider": provider}
    answer = merchant.client.post(path, json=wanted)
    made = answer.json() if answer.is_success else merchant.make(path, wanted)
    merchant.control("pay", provider=provider, reference=made["reference"])
    deadline = time.monotonic() + SETTLED_SECONDS_MAX
    count = 0
    while not count:
        assert time.monotonic() < deadline, provider
        time.sleep(0.2)
        found = merchant.client.get("/v1/customers/ada/payment-methods").json()["payment_methods"]
        count = sum(one["provider"] == provider for one in found)


def use_people(program, merchant):
    """A person registers, and logs in wrongly, and before the e-mail is verified."""
    person = {"email": EMAIL, "password": PLANTED["a password"], "full_name": "Ada"}
    answers = [patiently(program, "register", person)]
    for password in ("a wrong password", "a password"):
        body = {"email": EMAIL, "password": PLANTED[password]}
        answers.append(patiently(program, "login", body))
    assert [answer.status_code for answer in answers] == [201, 401, 403], answers[0].text
    merchant.answers += [answer.text for answer in answers]


def patiently(program, action, body):
    """The answer to somebody who tries again where passwords are hashed too slowly just now."""
    deadline = time.monotonic() + HASHED_SECONDS_MAX
    while True:
        url = f"{program.url}/api/v1/auth/{action}"
        answer = httpx.post(url, json=body, timeout=HASHED_SECONDS_MAX)
        if answer.status_code != 503 or time.monotonic() > deadline:
            return answer
        time.sleep(1)


def use_badly(merchant):
    """What is refused says which field, and not what was in it."""
    refused = {"provider": "paystack", "test_secret_key": PLANTED["a refused key"]}
    bodies = (
        {**refused, "is_test_mode": True},
        {**refused, "live_secret_key": PLANTED["a provider's key"]},
        {"provider": PLANTED["a provider's key"]},
        {**refused, "label": ["?"], "settings": {"contract_code": [PLANTED["a refused key"]]}},
    )
    for place, body in enumerate(bodies):
        answer = merchant.client.post(
            "/v1/payment-connections", json=body, headers=key(f"bad {place}")
        )
        assert 400 <= answer.status_code < 500, answer.text
    broken = json.dumps(refused)[:-1]
    merchant.client.post("/v1/payment-connections", content=broken)
    stranger = {"Authorization": f"Bearer {PLANTED['an api key that is none']}"}
    assert merchant.client.get("/v1/customers", headers=stranger).status_code == 401


def key(name):
    return {"Idempotency-Key": name}


async def rows_of(url):
    """All rows of all tables as texts, by table; bytes are in hexadecimal."""
    connection = await asyncpg.connect(url)
    names = [row["name"] for row in await connection.fetch(TABLES)]
    found = {}
    for name in names:
        rows = await connection.fetch(f"SELECT t::text AS row FROM {name} AS t")
        found[name] = "\n".join(row["row"] for row in rows)
    await connection.close()
    return found


def tokens_of(program):
    """The tokens of saved cards, as the provider has them."""
    lines = (program.data_dir / "simulator.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    return {row["token"] for row in rows if row["type"] == "Method"}


def files_of(where: Path):
    """All files that were written, but those that are there to hold secrets."""
    return {
        str(path.relative_to(where)): path.read_bytes()
        for path in where.rglob("*")
        if path.is_file() and not path.is_symlink() and path.name not in OF_OWNERS
    }


def forms(secret):
    """How a secret may be written."""
    raw = secret.encode()
    return secret, raw.hex(), base64.b64encode(raw).decode().rstrip("=")[:-1]


def found_in(text, secrets):
    return {name for name, secret in secrets.items() if any(form in text for form in forms(secret))}


def test_no_row_has_a_secret_in_the_clear(traces):
    secrets = PLANTED | {token: token for token in traces["tokens"]}
    assert len(traces["tokens"]) == 3
    assert "ada@planted.example" in traces["rows"]["public.customers"]

    found = {table: found_in(rows, secrets) for table, rows in traces["rows"].items()}

    assert {table: names for table, names in found.items() if names} == {}


def test_no_answer_and_no_document_has_a_secret(traces):
    secrets = PLANTED | {token: token for token in traces["tokens"]}
    assert "payment_connection" in traces["answers"]

    assert found_in(traces["answers"], secrets) == set()


def test_no_line_of_the_log_has_a_secret_or_an_account(traces):
    secrets = PLANTED | {one: one for one in (*traces["tokens"], *traces["accounts"])}
    assert re.search(r'"event": ?"', traces["log"])

    assert found_in(traces["log"], secrets) == set()


def test_what_is_kept_of_calls_has_no_whole_account_number(traces):
    calls = traces["rows"]["public.provider_calls"]
    assert "virtual_account" in calls

    assert found_in(calls, {number: number for number in traces["accounts"]}) == set()


def test_no_file_has_a_secret_of_whoever_wrote_it(traces):
    secrets = PLANTED | {token: token for token in traces["tokens"]}
    assert any(name.endswith("postgres.log") for name in traces["files"])

    found = {
        name: found_in(raw.decode("latin-1"), secrets) for name, raw in traces["files"].items()
    }

    assert {name: names for name, names in found.items() if names} == {}


def test_a_guess_of_a_proof_of_identity_can_not_be_checked(traces):
    """A body's hash is kept for repeats; without the installation's key nobody can compute it."""
    records = traces["rows"]["public.idempotency_records"]
    bodies = [
        json.dumps(
            {
                "provider": provider,
                "currency": "NGN",
                "bvn": PLANTED["a bvn"],
                "nin": PLANTED["a nin"],
            },
            separators=(",", ":"),
        )
        for provider in ("paystack", "flutterwave", "monnify")
    ]
    assert records

    guesses = {hashlib.sha256(body.encode()).hexdigest() for body in bodies}

    assert {guess for guess in guesses if guess in records} == set()
