"""Random use of a few wallets by many threads, and a model that only adds up what was answered."""

import json
import random
import threading
import time
from collections import Counter, defaultdict
from decimal import Decimal

from monigo import wallets
from simulation.wallet_bounds import Asked, Change, unexplained
from support.agenda import do
from support.api import Api

OPERATIONS = (
    "credit",
    "credit",
    "debit",
    "debit",
    "repeat",
    "reserve",
    "capture",
    "release",
    "expire",
)
# Few keys, so that threads use the same one at the same time.
KEYS = 400
# So many of the latest reservations are settled at random.
LATEST = 8
# How often it may be one that is settled.
SETTLED_SHARE = 0.4
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
        self.tally = Counter()
        self._first = {}
        self._held = []
        # How often a key was sent; of those sent at once, any may have been the first to arrive.
        self._sent = Counter()
        # When the settlement of a reservation that was done was sent; and what was refused, until
        # when, though the reservation had not expired: somebody must have settled it before.
        self._settled = {}
        self._refused = []
        self._changes = []
        self._asked = []
        self._changes_by_expiry = {}
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
        for known_id, ended, what in self._refused:
            if self._settled.get(known_id, ended) >= ended:
                self.faults.append(f"{what}, though nobody had settled it")

    def unexplained(self):
        """The answers that no order of the requests explains."""
        # Whether an expiry came before a settlement is not told, so it may have, for ever after.
        return unexplained([*self._changes, *self._changes_by_expiry.values()], self._asked)

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
        begun = self._note_key(wallet_id, body)
        answer = self._send(api, f"/v1/wallets/{wallet_id}/{direction}", body)
        change = sign * Decimal(body["amount"])
        if answer.status_code == 200:
            if self._remember(wallet_id, direction, body, answer, change):
                self._note_change(wallet_id, begun, change)
                if change < 0:
                    self._note_asked(wallet_id, begun, -change, granted=True)
        elif answer.status_code == 402 and direction == "debit":
            self._note_asked(wallet_id, begun, -change, granted=False)
        elif answer.status_code == 409 and self._was_sent_once(wallet_id, body):
            self.faults.append(f"a new key was taken for a used one: {body}")
        elif answer.status_code not in {200, 409}:
            self.faults.append(f"{direction} {body} was answered {answer.status_code}")

    def _note_key(self, wallet_id, body):
        """When a request begins; noted before it is sent, so that no answer comes before it."""
        begun = time.monotonic()
        with self._lock:
            self._sent[wallet_id, body["idempotency_key"]] += 1
        return begun

    def _was_sent_once(self, wallet_id, body):
        with self._lock:
            return self._sent[wallet_id, body["idempotency_key"]] == 1

    def _note_change(self, wallet_id, begun, amount):
        with self._lock:
            self._changes.append(Change(wallet_id, begun, time.monotonic(), amount))

    def _note_asked(self, wallet_id, begun, amount, *, granted):
        with self._lock:
            self._asked.append(Asked(wallet_id, begun, time.monotonic(), amount, granted))

    def _remember(self, wallet_id, direction, body, answer, change):
        """The first answer of a key counts; every other one must be the same. Whether it is."""
        key, is_new = (wallet_id, body["idempotency_key"]), False
        with self._lock:
            if key not in self._first:
                is_new = True
                self._first[key] = (direction, body, answer.text)
                self.expected[wallet_id] += change
            elif self._first[key][2] != answer.text:
                self.faults.append(f"{key} was answered anew: {answer.text}")
        return is_new

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
        begun, amount = time.monotonic(), Decimal(body["amount"])
        answer = self._send(api, f"/v1/wallets/{wallet_id}/reservations", body)
        self._note_asked(wallet_id, begun, amount, granted=answer.status_code == 201)
        if answer.status_code == 201:
            self._note_change(wallet_id, begun, -amount)
            with self._lock:
                held = answer.json()["reservation"] | {"lasts": body["expires_in_seconds"]}
                self._held.append((wallet_id, held, begun))
        elif answer.status_code != 402:
            self.faults.append(f"a reservation was answered {answer.status_code}: {answer.text}")

    def _capture(self, api, chance):
        self._settle(api, chance, "capture", {})

    def _release(self, api, chance):
        self._settle(api, chance, "release", None)

    def _settle(self, api, chance, action, body):
        with self._lock:
            if not self._held:
                return
            # Left in the list, so that another thread may try to settle it, too; mostly one of
            # which nobody knows that it is settled.
            known = [one for one in self._held if one[1]["id"] not in self._settled]
            if not known or chance.random() < SETTLED_SHARE:
                known = self._held
            wallet_id, held, made = chance.choice(known[-LATEST:])
        if body is not None:
            # Now and then more than is held.
            body = {"amount": str(chance.randrange(1, int(Decimal(held["amount"])) + 3))}
        amount, begun = Decimal(held["amount"]), time.monotonic()
        path = f"/v1/wallets/{wallet_id}/reservations/{held['id']}/{action}"
        answer = self._send(api, path, body)
        if answer.status_code == 200:
            captured = Decimal(answer.json()["reservation"]["captured_amount"])
            self._note_change(wallet_id, begun, amount - captured)
            with self._lock:
                self.expected[wallet_id] -= captured
                if held["id"] in self._settled:
                    self.faults.append(f"{held} was settled twice")
                self._settled[held["id"]] = begun
        elif answer.status_code == 400:
            if body is None or Decimal(body["amount"]) <= amount:
                self.faults.append(f"{action} {body} of {amount} was answered {answer.text}")
        elif held["lasts"] > time.monotonic() - made + 1:
            what = f"{action} of {held} was answered {answer.text}"
            with self._lock:
                self._refused.append((held["id"], time.monotonic(), what))

    def _expire(self, _api=None, _chance=None):
        begun = time.monotonic()
        do(self.api, wallets.EXPIRE_RESERVATIONS)
        with self._lock:
            held = list(self._held)
        for wallet_id, one, made in held:
            # From when on it can have been there again, if nobody had settled it.
            if one["lasts"] < time.monotonic() - made + 1:
                self._changes_by_expiry.setdefault(
                    one["id"], Change(wallet_id, begun, float("inf"), Decimal(one["amount"]))
                )

    def _send(self, api, path, body, headers=None):
        answer = api.post(path, json=body, headers=headers)
        kind = path.rsplit("/", 1)[1]
        with self._lock:
            self.tally[kind, "accepted" if answer.is_success else "refused"] += 1
        if answer.status_code not in ANSWERED:
            self.faults.append(f"{path} was answered {answer.status_code}: {answer.text}")
        return answer
