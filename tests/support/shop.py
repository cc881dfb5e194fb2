"""A merchant with one customer who is billed for calls, at one simulated provider."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from monigo.collection import TASKS
from monigo.payments import charges
from monigo.payments.charges.outcomes import ASK
from monigo.payments.events.service import APPLY, LOOK_UP
from support.agenda import do
from support.api import event
from support.payments import connect, keys_of
from support.verification import faults
from support.waiting import wait_until
from support.webhooks import paid, secret_of, send

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
DUE = """
    UPDATE agenda SET due_at = $3, runs_at = $3
    WHERE org_id = $1 AND is_test AND kind = $2
"""
UNIT = Decimal(100)


class Shop:
    """What one customer owes and pays; `work` does what workers do, `later` after some time."""

    def __init__(self, api, provider):
        self.api = api
        self.provider = provider
        self.simulated = api.backend.simulated
        self.connection = connect(api, provider)
        self.customer = api.customer("ada", name="Ada Obi", email="ada@example.com")
        metric = api.metric()
        price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": str(UNIT)}
        self.subscription = api.subscribe("ada", api.plan(price)["id"])
        self._rides = 0

    def make(self, path, body=None, **more):
        answer = self.api.http.post(path, json=body, **more)
        assert answer.status_code in {200, 201, 202}, answer.text
        return answer.json()

    def script(self, verb, outcome, **more):
        """Have the provider's next answer of a verb go wrong."""
        self.simulated.next(self.provider, verb, outcome, **more)

    # What is owed.

    def owe(self, calls=1):
        """A final invoice of so many calls."""
        self._rides += calls
        keys = range(self._rides - calls, self._rides)
        self.api.ingest(*(event(f"ride-{key}", "ada") for key in keys))
        draft = self.api.draft(self.subscription["id"])
        return self.api.finalize(draft["id"])

    def invoice(self, invoice):
        return self.api.get(f"/v1/invoices/{invoice['id']}").json()["invoice"]

    def status(self, invoice):
        """How an invoice stands: its status, what was paid, what is due."""
        found = self.invoice(invoice)
        paid, due = Decimal(found["amount_paid"]), Decimal(found["amount_due"])
        return found["status"], int(paid), int(due)

    def transactions(self, invoice):
        path = f"/v1/invoices/{invoice['id']}/transactions"
        return self.api.get(path).json()["transactions"]

    def balances(self):
        """What is in the customer's wallets, by currency."""
        found = self.api.get("/v1/customers/ada/wallets").json()["wallets"]
        return {one["currency"]: Decimal(one["balance"]) for one in found}

    def balance(self):
        """What is in the customer's wallet."""
        return self.balances().get("NGN", 0)

    # How it is paid.

    def link(self, invoice, **body):
        return self.make(f"/v1/invoices/{invoice['id']}/initiate-payment", body)

    def pay(self, link, *, webhook="lost", **how):
        """The customer pays a link; usually the webhook of it is lost."""
        if webhook:
            self.script("webhook", webhook)
        return self.simulated.pay(self.provider, link["reference"], **how)

    def settle(self, transaction, status):
        """What waits at the provider ends so."""
        body = {"provider": self.provider, "reference": transaction["reference"]}
        self.simulated.control("settle", **body, status=status)

    def save_card(self):
        """The customer saves a card; what that takes is in the wallet."""
        made = self.make("/v1/customers/ada/payment-methods/setup", {})
        self.pay(made)
        self.ask()
        return made

    # What happens by itself.

    def work(self):
        """Workers do what is due: collection, calls, and events that came."""
        tasks = {task.kind: task for task in self.api.backend.services.tasks}
        do(self.api, *TASKS, tasks[ASK], tasks[APPLY], tasks[LOOK_UP])

    def later(self, **duration):
        """Some time goes by, and then workers do what is due."""
        self.api.backend.clock.advance(**duration)
        self.work()

    def ask(self):
        """All that is not final is asked about."""
        self.api.backend.sql(DUE, self.api.org_id, ASK.name, LONG_AGO)
        self.work()

    def until(self, condition):
        """Wait for a webhook, and have it worked off, until something is so."""

        def is_so():
            self.work()
            return condition()

        return wait_until(is_so)

    def hear(self, reference, *, pad="", currency="NGN", **more):
        """The answer to a webhook of a payment; `pad` makes another body of it."""
        raw = paid(self.provider, reference, **more).replace(b"NGN", currency.encode())
        secret = secret_of(keys_of(self.provider, self.api.org_id))
        return send(self.api, self.provider, raw + pad.encode(), secret)

    # What both sides' books have.

    def calls(self, verb):
        """How often the provider was asked to do something."""
        path = f"/v1/payment-connections/{self.connection['id']}/calls"
        found = self.api.get(path, params={"limit": 100}).json()["calls"]
        return sum(one["verb"] == verb for one in found)

    def taken(self):
        """What the provider took from the customer by our references, each amount."""
        rows = self.simulated.books(self.provider)["charges"]
        known = {row["reference"] for row in self._charges()}
        return sorted(
            Decimal(row["amount"])
            for row in rows
            if row["reference"] in known and row["status"] == "success"
        )

    def payments(self):
        """What we say came in, each amount."""
        rows = self.api.backend.sql(
            "SELECT amount, to_invoice, to_wallet FROM payments WHERE org_id = $1 AND is_test",
            self.api.org_id,
        )
        assert all(row["to_invoice"] + row["to_wallet"] == row["amount"] for row in rows)
        return sorted(row["amount"] for row in rows)

    def states(self):
        """How many charges are in each state."""
        return Counter(row["state"] for row in self._charges())

    def reference(self, kind, subject, attempt=1):
        """By what the provider knows a try."""
        return charges.reference_of(self.api.tenant, kind, UUID(subject["id"]), attempt)

    def provider_ids(self):
        """The provider's own ids of what came in, by our references."""
        rows = self.api.backend.sql(
            "SELECT reference, provider_id FROM payments WHERE org_id = $1", self.api.org_id
        )
        return {row["reference"]: row["provider_id"] for row in rows}

    def _charges(self):
        return self.api.backend.sql(
            "SELECT reference, state FROM charges WHERE org_id = $1 AND is_test", self.api.org_id
        )

    def check(self):
        """Both sides' books agree, and so do all of ours."""
        assert self.payments() == self.taken()
        assert faults(self.api.backend, self.api.tenant) == []
