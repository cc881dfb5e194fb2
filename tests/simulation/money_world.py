"""A merchant whose customers pay through three simulated providers, and what workers do for it."""

from asyncio import Event
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import httpx

from monigo.infra.agenda.work import work_some
from simulation.money_mail import Mailbox
from support.api import Api, event
from support.cuts import Cutter, Killed
from support.payments import PROVIDERS, connect, keys_of

UNIT = Decimal(100)
# Answers that a request may get whatever is going on; anything else is a fault of the product's.
ANSWERS = {200, 201, 202, 400, 402, 404, 409, 422, 503}
# What is due becomes due by what was done, so often at most before something runs in circles.
ROUNDS_MAX = 200
LIVE = """
    SELECT id, reference, provider, needs_person_at, 'charge' AS what, state, asked, submitted_at,
        sent_at, expires_at, kind, purpose, connection_id
    FROM charges
    WHERE org_id = $1 AND state NOT IN ('succeeded', 'failed', 'reversed')
    UNION ALL
    SELECT id, reference, provider, needs_person_at, 'refund', state, asked, submitted_at, NULL,
        NULL, '', '', connection_id
    FROM refunds
    WHERE org_id = $1 AND state NOT IN ('succeeded', 'failed')
"""
DUE = """
    SELECT kind, subject, due_at, attempts, reason FROM agenda
    WHERE org_id = $1 AND is_test = $2 AND due_at <= $3 AND runs_at <= $3
        AND (claimed_until IS NULL OR claimed_until <= $3)
"""


@dataclass
class Person:
    """A customer, with a wallet and a subscription that bills 100 a call."""

    name: str
    id: str
    email: str
    wallet_id: str
    subscription_id: str
    # What the merchant moved by hand: credits less debits.
    moved: Decimal = Decimal(0)
    # Numbers of bank accounts that fund the wallet, with their providers.
    accounts: dict[str, str] = field(default_factory=dict)


class World:
    """The merchant, its customers, the mail of the providers, and the processes."""

    def __init__(self, backend, dice, tally: Counter | None = None, *, people=3):
        self.backend = backend
        self.dice = dice
        self.tally = Counter() if tally is None else tally
        self.simulated = backend.simulated
        self.simulated.control("clear")
        self.api = Api.of_new_organization(backend)
        # As a client that may get no answer at all.
        self.client = httpx.Client(base_url=backend.url, headers=self.api.http.headers, timeout=60)
        self.mailbox = Mailbox()
        self.cutter = Cutter(backend.services.desk, backend.run)
        self.tasks = {task.kind.name: task for task in backend.services.tasks}
        self.steps: list[str] = []
        self.keys = 0
        # Requests that got no answer, which their clients repeat under the same key.
        self.unanswered: list[tuple[str, dict, str]] = []
        # Links that may be paid: provider and reference.
        self.links: list[tuple[str, str]] = []
        # By reference: the invoice that a charge is of; empty for a wallet's.
        self.invoice_of: dict[str, str] = {}
        # References of charges of saved cards, as far as they are known.
        self.pulls: set[str] = set()
        # By invoice: what went back to the wallet of what that had paid.
        self.returned: dict[str, Decimal] = {}
        # By invoice: what was received elsewhere.
        self.marked: dict[str, Decimal] = {}
        self.vat = dice.random() < 0.5
        settings = {"vat_enabled": self.vat, "vat_rate": 7.5}
        answer = self.api.patch("/v1/organization", json=settings)
        assert answer.status_code == 200, answer.text
        self.connections = {provider: self._connect(provider) for provider in PROVIDERS}
        self.plan = self.make_plan()
        self.people = [self.join(f"person-{number}") for number in range(people)]
        self.script_webhooks()

    def __enter__(self):
        self.cutter.__enter__()
        return self

    def __exit__(self, *_):
        self.cutter.__exit__()
        self.mailbox.close()
        self.simulated.control("clear")
        self.client.close()
        self.api.http.close()

    def _connect(self, provider):
        made = connect(self.api, provider)
        target = f"{self.backend.url}{made['webhook_path']}"
        keys = keys_of(provider, self.api.org_id)
        self.simulated.control(
            "merchants",
            provider=provider,
            secret_key=keys["test_secret_key"],
            public_key=keys["test_public_key"],
            webhook_url=self.mailbox.address(provider, target),
            webhook_secret=keys.get("webhook_signing_secret", ""),
        )
        return made

    def make_plan(self):
        """The id of the plan by which all are billed, so much a call."""
        metric = self.api.metric()
        price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": str(UNIT)}
        return self.api.plan(price)["id"]

    def script_webhooks(self):
        """Have webhooks reach the mailbox before what caused them is answered."""
        for provider in PROVIDERS:
            self.simulated.next(provider, "webhook", "early", times=10_000)

    def clear_scripts(self):
        """Have all providers answer well from now on."""
        self.simulated.control("clear", only="scripts")
        self.script_webhooks()

    def join(self, name):
        """A new customer."""
        email = f"{name}@example.com"
        customer = self.api.customer(name, name=name.title(), email=email)
        wallet = self.api.wallet(customer["id"])
        subscription = self.api.subscribe(customer["id"], self.plan)
        return Person(name, customer["id"], email, wallet["id"], subscription["id"])

    def tell(self, what):
        """Add to what is told of the present step, should it fail."""
        if self.steps:
            self.steps[-1] += f"\n    {what}"

    # Requests.

    def send(self, method, path, body=None, *, key=None):
        """The answer to a request; None where the process died at it, or never answered."""
        headers = {"Idempotency-Key": key} if key else {}
        try:
            answer = self.client.request(method, path, json=body, headers=headers)
        except httpx.TransportError:
            assert self.cutter.has_died, f"{method} {path} got no answer"
            answer = None
        if answer is not None and answer.status_code == 500 and self.cutter.has_died:
            answer = None
        self.cutter.has_died = False
        said = "no answer" if answer is None else answer.status_code
        why = "" if answer is None or answer.is_success else answer.text
        self.tell(f"{method} {path} {body or ''}: {said} {why}")
        if answer is None:
            return None
        assert answer.status_code in ANSWERS, f"{method} {path} {body}: {answer.text}"
        return answer

    def ask(self, path, **query):
        """What the API shows."""
        answer = self.api.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def note(self, answer):
        """Count whether a request was accepted; whether it was."""
        accepted = answer is not None and answer.is_success
        kind = self.steps[-1].split("\n")[0] if self.steps else "before"
        self.tally[kind, "accepted" if accepted else "refused"] += 1
        return accepted

    def request(self, path, body=None):
        """Ask for what a provider must answer, under a key; the answer if it was accepted."""
        self.keys += 1
        key = f"key-{self.keys}"
        return self._keyed(path, body or {}, key)

    def _keyed(self, path, body, key):
        answer = self.send("POST", path, body, key=key)
        is_open = answer is None or answer.status_code == 503
        if is_open or (answer.status_code == 409 and answer.json()["code"] == "request_running"):
            self.unanswered.append((path, body, key))
        if not self.note(answer):
            return None
        self.learn(answer.json())
        return answer.json()

    def repeat(self):
        """A client asks again for what it got no answer to."""
        if self.unanswered:
            place = self.dice.randrange(len(self.unanswered))
            self._keyed(*self.unanswered.pop(place))

    def learn(self, told):
        """Note links and accounts that were answered."""
        made = told.get("transaction") or told
        if "authorization_url" in told or "authorization_url" in made:
            reference, provider = made["reference"], made["provider"]
            self.invoice_of.setdefault(reference, made.get("invoice_id") or "")
            if (provider, reference) not in self.links:
                self.links.append((provider, reference))
        account = told.get("virtual_account")
        if account and account["account_number"]:
            owner = next(one for one in self.people if one.wallet_id == account["wallet_id"])
            owner.accounts[account["account_number"]] = account["provider"]

    def ride(self, person, calls):
        """Usage of so many calls."""
        self.keys += 1
        self.api.ingest(*(event(f"ride-{self.keys}-{n}", person.id) for n in range(calls)))

    def owe(self, person, calls):
        """A final invoice of so many calls; None where none can be made."""
        self.ride(person, calls)
        drafted = self.send(
            "POST", "/v1/invoices/generate", {"subscription_id": person.subscription_id}
        )
        if not drafted.is_success:
            self.note(drafted)
            return None
        made = self.send("POST", f"/v1/invoices/{drafted.json()['invoice']['id']}/finalize")
        return made.json()["invoice"] if self.note(made) else None

    def pay(self, provider, reference, **how):
        """A customer pays at a provider's page; refused where that knows nothing of it."""
        body = {"provider": provider, "reference": reference, **how}
        self.tell(f"pays {body}")
        return self.simulated.http.post("/control/pay", json=body).status_code == 200

    def settle(self, row, status):
        """What waits at a provider ends so."""
        reference = row["reference"]
        self.tell(f"{row} ends: {status}")
        self.simulated.control(
            "settle", provider=row["provider"], reference=reference, status=status
        )

    # What happens by itself.

    def work(self):
        """Workers do all that is due, once their calls have ended, well or by their death."""
        for _ in range(ROUNDS_MAX):
            rows, done = self.backend.run(self._work())
            if not done:
                self.cutter.has_died = False
                return
            self.between_rounds()
        seen = [(row["kind"], row["subject"], row["due_at"]) for row in rows]
        raise AssertionError(f"something is due again and again: {seen}")

    def between_rounds(self):
        """What happens after workers did something, and before they do what follows from it."""

    async def _work(self):
        """What is due, and how much of it was done."""
        services = self.backend.services
        async with services.database.transaction(self.api.tenant) as tx:
            rows = await tx.fetch(DUE, tx.real_now)
        kinds = {row["kind"] for row in rows}
        return rows, await self._work_once(
            [task for name, task in self.tasks.items() if name in kinds]
        )

    async def _work_once(self, wanted):
        """One slice of each kind that is due; how much was done."""
        done = 0
        for task in wanted:
            try:
                done += await work_some(
                    self.backend.services.database, task, self.api.tenant, Event()
                )
            except Killed:
                done += 1
        return done

    def advance(self, duration: timedelta):
        """Time goes by, in both kinds of time, and workers do what is due then."""
        self.tell(f"{duration} go by")
        self.backend.clock.advance(seconds=duration.total_seconds())
        self.work()

    # What the post does.

    def deliver(self):
        """Webhooks come: the oldest or any, once, twice, or one that came before."""
        waiting, sent = self.mailbox.waiting, self.mailbox.delivered
        for _ in range(min(len(waiting), self.dice.randint(1, 3))):
            place = 0 if self.dice.random() < 0.6 else self.dice.randrange(len(waiting))
            letter = waiting.pop(place)
            self.mailbox.deliver(letter)
            if self.dice.random() < 0.2:
                self.mailbox.deliver(letter)
        if sent and self.dice.random() < 0.15:
            self.mailbox.deliver(self.dice.choice(sent))

    def deliver_as(self, how):
        """The post delivers what waits: `once`, `duplicate`, `reordered`; `lost`, or later."""
        letters = [*self.mailbox.waiting]
        if how == "late":
            return  # They are delivered with those that come next.
        self.mailbox.waiting.clear()
        if how == "reordered":
            letters.reverse()
        for letter in letters if how != "lost" else ():
            self.mailbox.deliver(letter)
            if how == "duplicate":
                self.mailbox.deliver(letter)

    def lose(self):
        """Webhooks never come."""
        waiting = self.mailbox.waiting
        for _ in range(min(len(waiting), 2)):
            waiting.pop(self.dice.randrange(len(waiting)))

    def hurry(self):
        """The next webhook comes before what caused it is answered."""
        self.mailbox.early = 1

    # What both sides have.

    def rows(self):
        """What the providers' books have, by kind."""
        return self.simulated.http.get("/control/books").json()

    def invoices(self):
        return self.ask("/v1/invoices", limit=1000)["invoices"]

    def live(self):
        """Charges and refunds that are not final."""
        return self.backend.sql(LIVE, self.api.org_id)
