"""A merchant whose customer owes for calls, as time goes by that the test moves."""

from datetime import timedelta
from uuid import UUID

from monigo import invoicing
from monigo.collection import RETRY_WAITING, TASKS
from monigo.core.times import format_instant, parse_instant
from monigo.payments import refunds
from monigo.payments.refunds.service import ASK as REFUND_ASK
from monigo.providers.port import Fact, Kind, State
from support.agenda import do
from support.api import event
from support.charges import naira
from support.payments import connect

START = "2027-01-01T00:00:00Z"
DAY = timedelta(days=1)


class Story:
    """A merchant with one customer, who is on a monthly plan of 100 a call."""

    def __init__(self, api, provider="paystack"):
        self.api = api
        self.provider = provider
        self.go_to(START)
        self.connection = connect(api, provider)
        self.customer = api.customer("ada", name="Ada Obi", email="ada@example.com")
        metric = api.metric()
        price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "100"}
        self.subscription = api.subscribe("ada", api.plan(price)["id"])

    def go_to(self, instant):
        text = instant if isinstance(instant, str) else format_instant(instant)
        answer = self.api.post("/v1/test-clock/advance", json={"to": text})
        assert (answer.status_code, answer.json()["status"]) == (200, "ready"), answer.text

    def ride(self, key="1", calls=1):
        now = self.api.get("/v1/test-clock").json()["now"]
        self.api.ingest(*(event(f"{key}-{n}", "ada", timestamp=now) for n in range(calls)))

    def simulated(self, action, **body):
        return self.api.backend.simulated.control(action, provider=self.provider, **body)

    def script(self, outcome, verb="charge", times=1):
        self.api.backend.simulated.next(self.provider, verb, outcome, times=times)

    def make(self, path, body=None):
        answer = self.api.post(path, json=body)
        assert answer.status_code in {200, 201, 202}, answer.text
        return answer.json()

    def pay(self, reference, **how):
        """The customer pays a link; we ask about it, as if no webhook came."""
        self.api.backend.simulated.pay(self.provider, reference, **how)
        self.ask(reference)

    def ask(self, reference):
        self.api.backend.sql(
            "UPDATE agenda SET due_at = '2000-01-01', runs_at = '2000-01-01' WHERE org_id = $1"
            " AND kind = 'charge_ask' AND subject = (SELECT id FROM charges WHERE reference = $2)",
            self.api.org_id,
            reference,
        )
        asking = next(
            task for task in self.api.backend.services.tasks if task.kind.name == "charge_ask"
        )
        do(self.api, asking, *TASKS)

    def work(self):
        """Workers do what collection has due, and ask about refunds."""
        asking = next(one for one in self.api.backend.services.tasks if one.kind is REFUND_ASK)
        do(self.api, RETRY_WAITING, *TASKS, asking)

    def run(self, work):
        return self.api.backend.run(work)

    def collect(self):
        """Workers do what is due, and then what is due of charges; a minute goes by."""
        self.work()
        now = parse_instant(self.api.get("/v1/test-clock").json()["now"])
        self.go_to(now + timedelta(minutes=1))

    def look_twice(self):
        """As workers do when a minute of real time has gone by."""
        self.api.backend.sql(
            "UPDATE agenda SET due_at = '2000-01-01', runs_at = '2000-01-01'"
            " WHERE org_id = $1 AND kind = 'collection_retry'",
            self.api.org_id,
        )
        self.work()

    def without_email(self):
        """The customer has no e-mail address."""
        self.api.backend.sql("UPDATE customers SET email = '' WHERE org_id = $1", self.api.org_id)

    def reason(self, invoice):
        return self.api.get(f"/v1/invoices/{invoice['id']}").json()["invoice"]["collection_reason"]

    def waits_for(self, invoice):
        (row,) = self.api.backend.sql(
            "SELECT waits_for FROM invoice_collections WHERE invoice_id = $1", invoice["id"]
        )
        return row["waits_for"]

    def owe(self, calls=3):
        """The invoice of a month with so many calls."""
        self.ride(calls=calls)
        self.go_to("2027-02-01T00:00:00Z")
        return self.invoice()

    def pay_by_link(self, invoice, amount=None):
        made = self.make(f"/v1/invoices/{invoice['id']}/initiate-payment")
        self.pay(made["reference"], **({"amount": amount} if amount else {}))
        return made["transaction"]

    def refund(self, invoice, **body):
        """The answer to a request to refund."""
        path = f"/v1/invoices/{invoice['id']}/refunds"
        return self.api.post(path, json={"reason": "late", **body})

    def refunded(self, invoice, **body):
        """As `refund`, until the provider says that it is done."""
        answer = self.refund(invoice, **body)
        assert answer.status_code == 201, answer.text
        for one in answer.json()["refunds"]:
            if one["to"] == "provider":
                self.simulated("settle", reference=one["reference"], status="success")
        self.ask_refunds()
        return answer

    def ask_refunds(self):
        """All refunds that are not final are asked about."""
        self.api.backend.sql(
            "UPDATE agenda SET due_at = '2000-01-01', runs_at = '2000-01-01'"
            " WHERE org_id = $1 AND kind = 'refund_ask'",
            self.api.org_id,
        )
        self.work()

    def fail(self, invoice, status):
        """Tries to take what is due of an invoice failed, until it has this status."""
        invoice_id = UUID(invoice["id"])
        if status != "finalized":
            self._transact(lambda tx: invoicing.mark_payments_failed(tx, [invoice_id]))
        if status == "uncollectible":
            self._transact(lambda tx: invoicing.mark_uncollectible(tx, invoice_id))

    def lose_dispute(self, amount):
        """The customer's bank took back so much of the last payment."""
        self._hear(Kind.DISPUTE, amount)

    def refund_elsewhere(self, amount):
        """So much of the last payment was refunded at the provider's own pages."""
        self._hear(Kind.REFUND, amount)

    def _hear(self, kind, amount):
        (payment,) = self.api.backend.sql(
            "SELECT provider_id FROM payments WHERE org_id = $1 ORDER BY id DESC LIMIT 1",
            self.api.org_id,
        )
        fact = Fact(
            kind=kind,
            state=State.SUCCEEDED,
            charge_id=payment["provider_id"],
            provider_id=f"{kind} of {amount}",
            amount=naira(amount),
            is_final=True,
        )
        connection_id = self.connection["id"]
        self._transact(lambda tx: refunds.apply_fact(tx, connection_id, fact))

    def _transact(self, work):
        async def transact():
            async with self.api.backend.services.database.transaction(self.api.tenant) as tx:
                return await work(tx)

        return self.api.backend.run(transact())

    def tax(self):
        """What is owed of value-added tax."""
        (row,) = self.api.backend.sql(
            "SELECT sum(balance)::text AS balance FROM ledger_accounts"
            " WHERE org_id = $1 AND kind = 'tax_payable'",
            self.api.org_id,
        )
        return row["balance"]

    def taken_back(self):
        """What customers owe of what went back, by customer."""
        owed = self.api.get("/v1/reports/receivables-aging").json()["receivables"]
        return [one["taken_back"] for one in owed]

    def books(self):
        """The balances of the customer's accounts in the books, by kind; those that have one."""
        rows = self.api.backend.sql(
            "SELECT kind, balance FROM ledger_accounts WHERE org_id = $1 AND customer_id IS NOT"
            " NULL AND balance <> 0",
            self.api.org_id,
        )
        return {row["kind"]: int(row["balance"]) for row in rows}

    def save_card(self):
        """The customer saves a card; what that takes is in the wallet."""
        made = self.make("/v1/customers/ada/payment-methods/setup", {})
        self.pay(made["reference"])
        (method,) = self.methods()
        return method

    def methods(self):
        return self.api.get("/v1/customers/ada/payment-methods").json()["payment_methods"]

    def invoice(self):
        """The newest invoice."""
        return self.api.get("/v1/invoices").json()["invoices"][0]

    def transactions(self, invoice):
        path = f"/v1/invoices/{invoice['id']}/transactions"
        return self.api.get(path).json()["transactions"]

    def status(self):
        path = f"/v1/subscriptions/{self.subscription['id']}"
        return self.api.get(path).json()["subscription"]["status"]

    def money(self, kind="charges"):
        """What the provider's books have of us: amounts that succeeded."""
        own = self.api.backend.sql(
            "SELECT reference FROM charges WHERE org_id = $1", self.api.org_id
        )
        known = {row["reference"] for row in own}
        key = "charge" if kind == "refunds" else "reference"
        rows = self.api.backend.simulated.books(self.provider)[kind]
        return [row["amount"] for row in rows if row[key] in known and row["status"] == "success"]

    def overpay(self, amount):
        """Three rides of a hundred, which are paid by a link with so much."""
        made = self.make(f"/v1/invoices/{self.owe()['id']}/initiate-payment")
        self.pay(made["reference"], amount=amount)

    def wallet(self):
        (found,) = self.api.get("/v1/customers/ada/wallets").json()["wallets"]
        return found

    def balance(self):
        found = self.api.get("/v1/customers/ada/wallets").json()["wallets"]
        return [one["balance"] for one in found]
