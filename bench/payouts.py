"""Money out: payouts a second against simulated providers that take 200 ms for a call.

Fills a fresh database with drivers who have an account each, has the worker of `monigo serve` make
their bills, and then sends all that is owed as payouts that go by themselves are sent: in bulks of
500 rows at Flutterwave and Monnify, of 100 each five seconds at Paystack. With `--kill-every 2`
the API with its worker is killed as often, and started again. Each payee must get it once.
Usage: bench/payouts.py [--count 10000] [--paystack 1000] [--kill-every SECONDS] [PROVIDER ...]
"""

import argparse
import asyncio
import json
import os
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg

import closing
from charges import SECRET_KEY, Simulator, running_simulator
from filling import fill_subscriptions
from monigo import invoicing
from monigo.bootstrap import bring_up_to_date, open_services
from monigo.core.ids import InvoiceId, OrganizationId
from monigo.infra.crypto import Vault
from monigo.infra.db import Tenant, Transaction
from monigo.infra.settings import Settings
from monigo.payouts import sending, store
from rig import System, events_body, http_request, running_system, send_all, watching

PROVIDERS = ("flutterwave", "monnify", "paystack")
CALL_MS = 200
NUMBERS = "payout account number"
# More calls than a run has.
CALLS = 10_000
# What is asked before and after a bulk. The outcome does nothing to what is only read.
READ, OF_READS = ("balance", "lookup", "login", "recipients", "list_transfers"), "wrong_amount"
FUNDED = 10**9
# Their period has ended days ago; the events are of its last days.
STARTED = "date_trunc('day', now()) - interval '1 month' - interval '4 days'"
HOURS_AGO = 144
EVENTS_AT_ONCE = 1_000
# As the worker takes payouts that are due.
SENT_AT_ONCE = 200
SENT = "SELECT count(*) FROM transfers WHERE state NOT IN ('created', 'submitted')"
PAID = "SELECT count(*) FROM transfers WHERE state = 'succeeded'"
UNPAID = "SELECT count(*) FROM transfers WHERE state NOT IN ('succeeded')"
BILLS = "SELECT id FROM invoices WHERE plan_type = 'payout' AND status = 'finalized' ORDER BY id"
# Longer than any run that goes well.
WAITED_SECONDS = 900
ACCOUNTS = (
    *("org_id", "is_test", "id", "customer_id", "account_name", "payout_method", "bank_name"),
    *("bank_code", "number_ciphertext", "last4", "currency", "is_default", "metadata"),
    *("resolution", "resolved_name", "resolution_reason", "resolution_tries", "resolved_at"),
    *("created_at", "updated_at", "changed_at"),
)


@dataclass
class Merchant:
    """A system whose drivers are paid out through one provider."""

    system: System
    simulator: Simulator
    provider: str
    count: int
    deaths: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    def connect(self) -> None:
        """Connect the provider, whose webhooks come to us."""
        keys: dict[str, Any] = {
            "paystack": {"test_secret_key": "sk_test_b", "test_public_key": "pk_test_b"},
            "flutterwave": {
                "test_secret_key": "FLWSECK_TEST-b-X",
                "test_public_key": "FLWPUBK_TEST-b-X",
                "webhook_signing_secret": "h",
            },
            "monnify": {
                "test_secret_key": "MONNIFY_B",
                "test_public_key": "MK_TEST_B",
                "settings": {"contract_code": "49341", "source_account_number": "39341"},
            },
        }[self.provider]
        body = {"provider": self.provider, "is_test_mode": True, **keys}
        made = self.system.request("POST", "/v1/payment-connections", body)["payment_connection"]
        own = {"provider": self.provider, "secret_key": keys["test_secret_key"]}
        self.simulator.control(
            "merchants",
            **own,
            public_key=keys["test_public_key"],
            webhook_secret=keys.get("webhook_signing_secret", ""),
            webhook_url=f"http://127.0.0.1:{self.system.port}{made['webhook_path']}",
        )
        self.simulator.control("balance", **own, amount=FUNDED)
        for verb in READ:
            self.simulator.slow(self.provider, CALLS, CALL_MS, verb=verb, outcome=OF_READS)
        for verb in ("bulk", "transfer"):
            self.simulator.slow(self.provider, CALLS, CALL_MS, verb=verb)

    def fill(self) -> None:
        """A final bill of each driver, and the account that it goes to."""
        metric = {"name": "api_call", "event_name": "api_call", "aggregation": "count"}
        metric_id = self.system.request("POST", "/v1/metrics", metric)["metric"]["id"]
        price = {"metric_id": metric_id, "model": "flat_unit", "unit_price": "700"}
        body = {"name": "Drivers", "plan_type": "payout", "prices": [price]}
        plan = self.system.request("POST", "/v1/plans", body)["plan"]["id"]
        names = [f"driver-{number}" for number in range(1, self.count + 1)]
        fill_subscriptions(
            self.system,
            plan,
            self.count,
            prefix="driver-",
            started=STARTED,
            plan_type="payout",
        )
        asyncio.run(self._open_accounts())
        requests = [
            http_request(
                "/v1/ingest",
                self.system.api_key,
                events_body(place * EVENTS_AT_ONCE, len(some), some, hours_ago=HOURS_AGO),
            )
            for place, some in enumerate(_in_parts(names, EVENTS_AT_ONCE))
        ]
        send_all(self.system.port, requests, 2)
        time.sleep(3)
        closing.make_due(self.system, "driver-")
        with watching(self.system.database_url) as look:
            while look("SELECT count(*) FROM payouts WHERE state = 'needs_approval'") < self.count:
                time.sleep(0.2)

    async def _open_accounts(self) -> None:
        vault = Vault([SECRET_KEY])
        owner = await asyncpg.connect(self.system.database_url)
        try:
            known = await owner.fetch("SELECT org_id, id, now() FROM customers")
            rows: list[tuple[Any, ...]] = []
            for place, (org_id, customer_id, now) in enumerate(known):
                account_id, number = uuid4(), f"{10**9 + place}"
                ciphertext = vault.encrypt(NUMBERS, number.encode(), context=account_id.bytes)
                to = ("Ada Obi", "bank_transfer", "Access Bank", "044", ciphertext, number[-4:])
                said = ("NGN", True, "{}", "matched", "ADA OBI", "", 1)
                rows.append((org_id, True, account_id, customer_id, *to, *said, now, now, now, now))
            await owner.copy_records_to_table("payout_accounts", records=rows, columns=ACCOUNTS)
            await owner.execute("VACUUM ANALYZE payout_accounts")
        finally:
            await owner.close()

    async def send(self) -> None:
        """Have all that is owed sent, as the worker does for payouts that go by themselves."""
        settings = Settings(
            data_dir=self.system.data_dir,
            database_url=self.system.database_url,
            secret_key=SECRET_KEY,
            simulator=False,
            simulator_url=self.simulator.url,
        )
        url = await bring_up_to_date(settings, self.system.database_url)
        services = await open_services(settings, url)
        ids = [InvoiceId(row["id"]) for row in await _rows(self.system.database_url, BILLS)]
        tenant = Tenant(OrganizationId(UUID(self.system.org_id)), is_test=True)
        for some in _in_parts(ids, SENT_AT_ONCE):
            async with services.database.transaction(tenant) as tx:
                await _send(tx, some)
        await services.close()

    def measure(self, kill_every: float) -> None:
        """Send all, and wait until all have it; what the provider's books say of it."""
        started = time.perf_counter()
        asyncio.run(self.send())
        self.seconds["intended"] = time.perf_counter() - started
        killed_at = time.perf_counter()
        with watching(self.system.database_url) as look:
            while (known := look(PAID)) < self.count:
                if "sent" not in self.seconds and max(known, look(SENT)) >= self.count:
                    self.seconds["sent"] = time.perf_counter() - started
                if kill_every and time.perf_counter() - killed_at > kill_every:
                    self.system.kill_and_restart()
                    self.deaths += 1
                    killed_at = time.perf_counter()
                time.sleep(0.2)
                if time.perf_counter() - started > WAITED_SECONDS:
                    break
            self.seconds["paid"] = time.perf_counter() - started
            self.seconds.setdefault("sent", self.seconds["paid"])
            unpaid = look(UNPAID)
        self._tell(unpaid, *self._books())

    def _books(self) -> tuple[int, int]:
        """How many transfers the provider paid, and how many references it paid twice."""
        url = f"{self.simulator.url}/control/books?provider={self.provider}"
        with urllib.request.urlopen(url) as answer:
            rows = json.load(answer)["transfers"]
        paid = [row for row in rows if row["status"] == "success"]
        accounts = Counter(row["to"] for row in paid)
        return len(paid), sum(times > 1 for times in accounts.values())

    def _tell(self, unpaid: int, paid: int, twice: int) -> None:
        seconds = self.seconds["sent"]
        print(
            f"{self.provider}: {self.count:,} payouts sent in {seconds:.1f} s,"
            f" {self.count / seconds:,.1f}/s ({self.seconds['intended']:.1f} s until all were"
            f" intended, {self.seconds['paid']:.1f} s until all were known to be paid);"
            f" killed {self.deaths} times; the provider paid {paid:,}, {twice} accounts twice,"
            f" {unpaid} are not paid here; load {os.getloadavg()[0]:.0f}",
            flush=True,
        )


def _in_parts(all_of_it: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [all_of_it[first : first + size] for first in range(0, len(all_of_it), size)]


async def _rows(url: str, query: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(query)
    finally:
        await connection.close()


async def _send(tx: Transaction, bill_ids: Sequence[InvoiceId]) -> None:
    bills = await invoicing.lock_bills(tx, bill_ids)
    planned = await sending.plan(tx, bills.values())
    await sending.send(tx, planned, await store.load(tx, bill_ids))


def main() -> None:
    """Measure each provider in a system of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("providers", nargs="*", default=PROVIDERS, metavar="PROVIDER")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--paystack", type=int, default=1_000)
    parser.add_argument("--kill-every", type=float, default=0)
    chosen = parser.parse_args()
    for provider in chosen.providers:
        count = chosen.paystack if provider == "paystack" else chosen.count
        with (
            running_simulator() as simulator,
            running_system(
                MONIGO_SIMULATOR="false",
                MONIGO_SIMULATOR_URL=simulator.url,
                MONIGO_SECRET_KEY=SECRET_KEY,
            ) as system,
        ):
            merchant = Merchant(system, simulator, provider, count)
            merchant.connect()
            merchant.fill()
            merchant.measure(chosen.kill_every)


if __name__ == "__main__":
    main()
