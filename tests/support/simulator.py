"""A simulator on a port of its own, a client that asks it as the product does, and a listener."""

import asyncio
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from monigo.core.money import Money
from monigo.infra.http_client import HttpClient
from monigo.providers import port as p
from monigo.providers.client import ProviderClient
from monigo.providers.registry import ADAPTERS
from monigo.providers.simulator import running_simulator

KEYS = {
    "paystack": p.Keys(secret_key="sk_test_4242"),
    "flutterwave": p.Keys(secret_key="FLWSECK_TEST-4242-X"),
    "monnify": p.Keys(
        secret_key="MONNIFY_TEST_SECRET",
        public_key="MK_TEST_4242",
        contract_code="4934121686",
        source_account_number="3934178936",
    ),
}
PROVIDERS = sorted(KEYS)
PAYER = p.Payer(email="ada@example.com", name="Ada Obi", phone="+2348012345678")
# What happens by itself a moment later has happened by then.
PATIENCE_SECONDS = 10


class Simulation:
    """A running simulator: `ask` as the product asks, `control` as a test does."""

    def __init__(self, runner, running, client):
        self.runner = runner
        self.running = running
        self.client = client
        self.url = running.url
        self._references = 0

    def ask(self, provider, intent, keys=None):
        called = self.call(provider, intent, keys)
        return called.outcome

    def call(self, provider, intent, keys=None):
        return self.runner.run(
            self.client.ask(provider, intent, keys or KEYS[provider], is_test=True)
        )

    def control(self, action, **body):
        answer = self.runner.run(_post(f"{self.url}/control/{action}", body))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def next(self, provider, verb, outcome, **more):
        self.control("next", provider=provider, verb=verb, outcome=outcome, **more)

    def books(self, provider):
        async def get():
            async with httpx.AsyncClient() as client:
                return await client.get(f"{self.url}/control/books", params={"provider": provider})

        return self.runner.run(get()).json()

    def listen(self, provider, listener, secret=""):
        keys = KEYS[provider]
        self.control(
            "merchants",
            provider=provider,
            secret_key=keys.secret_key,
            public_key=keys.public_key,
            webhook_url=listener.url,
            webhook_secret=secret,
        )

    def forget_listener(self, provider):
        self.control(
            "merchants", provider=provider, secret_key=KEYS[provider].secret_key, webhook_url=""
        )

    def paid(self, provider, asked="2500.00", **how):
        """A checkout that was paid: its reference, and what a look-up tells of it."""
        reference = self.reference()
        self.ask(provider, checkout(reference, asked))
        self.control("pay", provider=provider, reference=reference, **how)
        return reference, self.ask(provider, lookup(p.Kind.CHARGE, reference)).fact

    def wait_until(self, condition):
        """Let time go by in the simulator until something is so."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := condition()):
            assert time.monotonic() < deadline, "it never came about"
            self.runner.run(asyncio.sleep(0.02))
        return found

    def rest(self, seconds):
        self.runner.run(asyncio.sleep(seconds))

    def reference(self):
        self._references += 1
        return f"mo{self._references:030x}"


async def _post(url, body):
    async with httpx.AsyncClient() as client:
        return await client.post(url, json=body)


@contextmanager
def simulation(path=None):
    """A simulator for the block, with its books in a file if a path is given."""
    with asyncio.Runner() as runner:
        http = runner.run(_made(HttpClient))
        block = running_simulator(path=path)
        running = runner.run(block.__aenter__())
        urls = {(name, True): url for name, url in running.base_urls.items()}
        try:
            yield Simulation(runner, running, ProviderClient(http, urls))
        finally:
            runner.run(block.__aexit__(None, None, None))
            runner.run(http.close())


async def _made(kind):
    return kind()


class Listener:
    """Takes webhooks, and keeps them as they came."""

    def __init__(self):
        self.events = []
        self.statuses = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                listener.events.append((headers, raw))
                self.send_response(listener.statuses.pop(0) if listener.statuses else 200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hooks"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def facts(self, provider):
        """All that the webhooks tell, in the order in which they came."""
        adapter = ADAPTERS[provider]
        return [fact for headers, raw in list(self.events) for fact in adapter.facts(headers, raw)]

    def close(self):
        self._server.shutdown()
        self._server.server_close()


def naira(text):
    return Money(p.from_wire(text, "NGN", {"NGN": p.Wire(0, 2)}).amount, "NGN")


def account(number="0690000031", code="044", **more):
    return p.PayoutAccount(code=code, number=number, name="Ada Obi", currency="NGN", **more)


def checkout(reference, amount="2500.00"):
    return p.Checkout(
        reference=reference,
        amount=naira(amount),
        payer=PAYER,
        return_url="https://shop.example/back",
    )


def transfer(reference, amount="1000.00", **more):
    return p.Transfer(
        reference=reference, amount=naira(amount), account=account(**more), narration="Fares"
    )


def lookup(kind, reference, provider_id=""):
    return p.Lookup(kind=kind, reference=reference, provider_id=provider_id)
