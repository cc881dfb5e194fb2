"""Random use of a few wallets by many threads, and a model that only adds up what was answered."""

import json
import random
import threading
from collections import defaultdict
from decimal import Decimal

from monigo import wallets
from support.api import Api

OPERATIONS = ("credit", "debit", "debit", "repeat", "reserve", "capture", "release", "expire")
# Few keys, so that threads use the same one at the same time.
KEYS = 400
ANSWERED = {200, 201, 400, 402, 409}


class WalletWorld:
    """What the threads share: the wallets, what was asked, and what the answers add up to."""

    def __init__(self, api, seed, *, wallet_count=4):
        self.api = api
        self.seed = seed
        self.wallets = [self._wallet(number) for number in range(wallet_count)]
        # By wallet: what came in less what went out, as acknowledged.
        self.expected = defaultdict(Decimal)
        self.faults = []
        self._first = {}
        self._held = []
        self._lock = threading.Lock()

    def _wallet(self, number):
        self.api.customer(f"customer-{number}")
        return self.api.wallet(f"customer-{number}")["id"]

    def run(self, *, threads, steps):
        """Let the threads loose; each on a connection and a random sequence of its own."""
        workers = [
            threading.Thread(target=self._work, args=(number, steps)) for number in range(threads)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    def settle(self):
        """Let every reservation expire that is still open."""
        self.api.backend.clock.advance(days=40)
        self._expire()

    def balance(self, wallet_id):
        wallet = self.api.get(f"/v1/wallets/{wallet_id}").json()["wallet"]
        return Decimal(wallet["balance"]), Decimal(wallet["reserved_balance"])

    def chain(self, wallet_id):
        """The balances before and after each entry, oldest first."""
        path, entries, cursor = f"/v1/wallets/{wallet_id}/transactions", [], None
        while cursor != "":
            page = self.api.get(path, params={"limit": 100, "cursor": cursor or ""}).json()
            entries += page["transactions"]
            cursor = page["next_cursor"]
        return [
            (Decimal(entry["balance_before"]), Decimal(entry["balance_after"]))
            for entry in reversed(entries)
        ]

    def _work(self, number, steps):
        chance = random.Random(f"{self.seed}-{number}")
        tenant = self.api.tenant
        api = Api(self.api.backend, tenant.org_id, self.api.secret, is_test=tenant.is_test)
        with api:
            for _ in range(steps):
                try:
                    getattr(self, f"_{chance.choice(OPERATIONS)}")(api, chance)
                except Exception as error:
                    self.faults.append(repr(error))
                    raise

    def _credit(self, api, chance):
        self._move(api, chance, "credit", "deposit", 1)

    def _debit(self, api, chance):
        self._move(api, chance, "debit", "usage", -1)

    def _move(self, api, chance, direction, entry_type, sign):
        wallet_id = chance.choice(self.wallets)
        body = {
            "amount": str(Decimal(chance.randrange(1, 50_000_000)).scaleb(-6)),
            "currency": "NGN",
            "entry_type": entry_type,
            "idempotency_key": f"key-{chance.randrange(KEYS)}",
        }
        answer = self._send(api, f"/v1/wallets/{wallet_id}/{direction}", body)
        if answer.status_code == 200:
            self._remember(wallet_id, direction, body, answer, sign * Decimal(body["amount"]))

    def _remember(self, wallet_id, direction, body, answer, change):
        """The first answer of a key counts; every other one must be the same."""
        key = (wallet_id, body["idempotency_key"])
        with self._lock:
            if key not in self._first:
                self._first[key] = (direction, body, answer.text)
                self.expected[wallet_id] += change
            elif self._first[key][2] != answer.text:
                self.faults.append(f"{key} was answered anew: {answer.text}")

    def _repeat(self, api, chance):
        with self._lock:
            known = list(self._first.items())
        if not known:
            return
        (wallet_id, _), (direction, body, text) = chance.choice(known)
        headers = chance.choice([None, {"Idempotency-Key": str(chance.random())}])
        answer = self._send(api, f"/v1/wallets/{wallet_id}/{direction}", body, headers)
        if answer.json() != json.loads(text):
            self.faults.append(f"a repeat was answered {answer.text} instead of {text}")

    def _reserve(self, api, chance):
        wallet_id = chance.choice(self.wallets)
        body = {
            "amount": str(chance.randrange(1, 20)),
            "currency": "NGN",
            "idempotency_key": f"hold-{chance.random()}",
            "expires_in_seconds": chance.choice([1, 3_600]),
        }
        answer = self._send(api, f"/v1/wallets/{wallet_id}/reservations", body)
        if answer.status_code == 201:
            with self._lock:
                self._held.append((wallet_id, answer.json()["reservation"]))

    def _capture(self, api, chance):
        self._settle(api, chance, "capture", {"amount": str(chance.randrange(1, 20))})

    def _release(self, api, chance):
        self._settle(api, chance, "release", None)

    def _settle(self, api, chance, action, body):
        with self._lock:
            if not self._held:
                return
            # Left in the list, so that another thread may try to settle it, too.
            wallet_id, held = chance.choice(self._held)
        path = f"/v1/wallets/{wallet_id}/reservations/{held['id']}/{action}"
        answer = self._send(api, path, body)
        if answer.status_code == 200:
            captured = Decimal(answer.json()["reservation"]["captured_amount"])
            with self._lock:
                self.expected[wallet_id] -= captured

    def _expire(self, _api=None, _chance=None):
        async def sweep():
            async with self.api.backend.services.database.transaction(self.api.tenant) as tx:
                await wallets.expire_reservations(tx)

        self.api.backend.run(sweep())

    def _send(self, api, path, body, headers=None):
        answer = api.post(path, json=body, headers=headers)
        if answer.status_code not in ANSWERED:
            self.faults.append(f"{path} was answered {answer.status_code}: {answer.text}")
        return answer
