"""A real server on a real PostgreSQL, fresh for each test run."""

import asyncio
import os
import secrets
import time
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import certifi
import pytest
from hypothesis import settings

from monigo.infra.crypto import hashing_child
from monigo.infra.db.postgres import start_embedded
from monigo.infra.logging import configure_logging
from support.api import Api
from support.backend import Backend, start_backend
from support.mail import MailServer
from support.payments import connected, simulated_providers

# Machines that are busy are not broken.
settings.register_profile("monigo", deadline=None, print_blob=True)
settings.load_profile("monigo")
# As the product logs: the default's tracebacks show local variables, which takes half a minute.
configure_logging(log_format="json", level="warning")
# Where both cores are busy, one of lowest priority takes a minute for a hash.
hashing_child.PROGRAM = Path(__file__).parent / "support" / "eager_hashing.py"

# A client reads all authorities of the web as it is made, for 20 ms; nothing here asks the web.
ONE_AUTHORITY = Path(certifi.where()).read_text().partition("-----END CERTIFICATE-----\n")
# What is lost with the machine's power is made anew by the next run.
CARELESS = ("fsync", "full_page_writes", "synchronous_commit")

# A clock that has not arrived by then never will.
ADVANCE_SECONDS_MAX = 60


@pytest.fixture(scope="session")
def owner_url(tmp_path_factory):
    """A fresh, empty database: on MONIGO_DATABASE_URL's server if set, else on an embedded one."""
    external = os.environ.get("MONIGO_DATABASE_URL")
    runner = asyncio.Runner()
    embedded = None
    if external is None:
        embedded = runner.run(start_embedded(Path(tmp_path_factory.mktemp("embedded"))))
        runner.run(_make_careless(embedded.url))
    server_url = external or embedded.url
    name = f"monigo_test_{secrets.token_hex(6)}"
    runner.run(_execute(server_url, f"CREATE DATABASE {name}"))
    parts = urlsplit(server_url)
    yield urlunsplit((parts.scheme, parts.netloc, f"/{name}", parts.query, ""))
    runner.run(_execute(server_url, f"DROP DATABASE {name} WITH (FORCE)"))
    if embedded is not None:
        runner.run(embedded.stop())
    runner.close()


async def _execute(url, statement):
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


async def _make_careless(url):
    for setting in CARELESS:
        await _execute(url, f"ALTER SYSTEM SET {setting} = off")
    await _execute(url, "SELECT pg_reload_conf()")


@pytest.fixture(scope="session", autouse=True)
def _few_authorities(tmp_path_factory):
    path = tmp_path_factory.mktemp("authorities") / "one.pem"
    path.write_text("".join(ONE_AUTHORITY[:2]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(path))
        yield


@pytest.fixture(scope="session")
def backend(owner_url, tmp_path_factory):
    """The running server: its services, its address, and a clock that the tests can move.

    Test mode asks simulated providers, to which organisations are connected where a test does so.
    """
    with MailServer() as mail, simulated_providers() as simulated:
        running = start_backend(
            owner_url,
            tmp_path_factory.mktemp("data"),
            smtp_url=mail.url,
            simulator=False,
            simulator_url=simulated.url,
            webhooks_allow_private=True,
            # In live mode, too, nobody's real number is asked for anything.
            whatsapp_url=f"{simulated.url}/whatsapp",
        )
        running.mail = mail
        running.simulated = simulated
        yield running
        running.stop()


@pytest.fixture
def api(backend: Backend):
    """A client with all scopes on the test mode of an organisation of its own.

    What a test before scripted of the providers and did not use up is forgotten.
    """
    if backend.simulated is not None:
        backend.simulated.control("clear", only="scripts")
    with Api.of_new_organization(backend) as client:
        yield client
    backend.clock.reset()


@pytest.fixture
def connections(api):
    """The connections of `api`'s organisation to all three simulated providers, by provider."""
    return connected(api)


@pytest.fixture
def clock(api):
    """Sends the organisation's test clock to an instant."""

    def advance(to):
        answer = api.post("/v1/test-clock/advance", json={"to": to})
        deadline = time.monotonic() + ADVANCE_SECONDS_MAX
        # A busy machine may take longer than the server has a client wait.
        while answer.json().get("status") == "advancing" and time.monotonic() < deadline:
            time.sleep(0.1)
            answer = api.get("/v1/test-clock")
        assert answer.json().get("status") == "ready", answer.text
        return answer.json()["now"]

    return advance
