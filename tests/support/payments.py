"""Simulated providers beside the server under test, and organisations connected to them."""

import asyncio
import threading
from contextlib import contextmanager

import httpx

from monigo.providers.simulator import running_simulator

PROVIDERS = ("paystack", "flutterwave", "monnify")
STARTED_SECONDS_MAX = 30


class Simulated:
    """A simulator in a thread of its own: `control` scripts faults and pays, `books` shows rows."""

    def __init__(self, url):
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=60)

    def control(self, action, **body):
        answer = self.http.post(f"/control/{action}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def next(self, provider, verb, outcome, **more):
        """Script the next answers of a provider."""
        self.control("next", provider=provider, verb=verb, outcome=outcome, **more)

    def pay(self, provider, reference, **how):
        """A payer completes a checkout."""
        return self.control("pay", provider=provider, reference=reference, **how)

    def books(self, provider):
        """Charges, transfers, refunds and deposits of all merchants of a provider."""
        return self.http.get("/control/books", params={"provider": provider}).json()


@contextmanager
def simulated_providers():
    """A simulator for the block."""
    ready, stopping = threading.Event(), {}

    async def main():
        async with running_simulator() as running:
            stop = asyncio.Event()
            stopping.update(loop=asyncio.get_running_loop(), stop=stop, url=running.url)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    assert ready.wait(STARTED_SECONDS_MAX)
    simulated = Simulated(stopping["url"])
    try:
        yield simulated
    finally:
        simulated.http.close()
        stopping["loop"].call_soon_threadsafe(stopping["stop"].set)
        thread.join(STARTED_SECONDS_MAX)


def keys_of(provider, org_id, *, name=""):
    """The fields of an organisation's own test account at a simulated provider."""
    own = f"{name}{org_id.hex}"
    match provider:
        case "paystack":
            return {"test_secret_key": f"sk_test_{own}", "test_public_key": f"pk_test_{own}"}
        case "flutterwave":
            return {
                "test_secret_key": f"FLWSECK_TEST-{own}-X",
                "test_public_key": f"FLWPUBK_TEST-{own}-X",
                "webhook_signing_secret": f"hash-{own}",
            }
        case "monnify":
            return {
                "test_secret_key": f"MONNIFY_{own}",
                "test_public_key": f"MK_TEST_{own}",
                "settings": {
                    "contract_code": "4934121686",
                    "source_account_number": "3934178936",
                },
            }


def connect(api, provider="paystack", *, name="", **fields):
    """Connect an organisation to its own account at a simulated provider; webhooks come to us."""
    keys = keys_of(provider, api.org_id, name=name)
    body = {"provider": provider, "is_test_mode": True, **keys, **fields}
    connection = api.make("/v1/payment-connections", body, "payment_connection")
    api.backend.simulated.control(
        "merchants",
        provider=provider,
        secret_key=body["test_secret_key"],
        public_key=body["test_public_key"],
        webhook_url=f"{api.backend.url}{connection['webhook_path']}",
        webhook_secret=body.get("webhook_signing_secret", ""),
    )
    return connection


def connected(api):
    """Connect an organisation to all three providers in test mode; the connections by provider."""
    return {provider: connect(api, provider) for provider in PROVIDERS}


def ask(api, connection, intent):
    """What a provider answers an intent, asked through the desk."""
    services = api.backend.services
    return api.backend.run(
        services.desk.ask(services.database, api.tenant, connection["id"], intent)
    )
