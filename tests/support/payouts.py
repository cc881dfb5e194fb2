"""A merchant that pays drivers out for their rides, at one simulated provider."""

from decimal import Decimal
from uuid import UUID

from monigo import payouts
from monigo.core.money import Money
from monigo.payments import payout_accounts, transfers
from monigo.payments.payout_accounts import AccountDetails
from monigo.payments.transfers.outcomes import ASK, SUBMIT
from monigo.payouts import TASKS
from monigo.providers.port import Fact, Kind, PayoutMethod, State, Wire, from_wire
from support.agenda import do
from support.api import event
from support.payments import connect
from support.verification import faults

FARE_SHARE = {"model": "percentage", "tiers": {"rate": "0.80"}}
# Who is paid out at once by every provider.
NUMBER = "0690000031"


NAIRA = {"": Wire(0, 2)}


def say(fleet, transaction, state):
    """The provider says of a transfer how it ended."""
    amount = Money(from_wire(transaction["amount"], "NGN", NAIRA).amount, "NGN")
    fact = Fact(
        kind=Kind.TRANSFER,
        reference=transaction["reference"],
        state=state,
        amount=amount,
        is_final=True,
    )
    connection_id = UUID(fleet.connection["id"])
    return fleet.run(lambda tx: transfers.apply_fact(tx, connection_id, fact))


def refused(answer):
    """With which status and code a request was refused."""
    return answer.status_code, answer.json()["code"]


class Fleet:
    """Drivers who earn a share of their fares; `work` does what workers do."""

    def __init__(self, api, provider="paystack", **plan):
        self.api = api
        self.provider = provider
        self.simulated = api.backend.simulated
        self.connection = connect(api, provider)
        self.metric = api.metric("ride", aggregation="sum", aggregation_property="fare")
        price = {"metric_id": self.metric["id"], **FARE_SHARE}
        self.plan = api.plan(price, plan_type="payout", **plan)
        self._rides = 0

    # Who is paid.

    def driver(self, name="ada", number=NUMBER, **more):
        """A driver with a payout account, unless `number` is None."""
        self.api.customer(name, name="Ada Obi", email=f"{name}@example.com")
        subscription = self.api.subscribe(name, self.plan["id"])
        account = None if number is None else self.account(name, number, **more)
        return {"name": name, "subscription": subscription, "account": account}

    def account(self, customer, number=NUMBER, *, currency="NGN", is_default=False):
        vault = self.api.backend.services.desk.vault
        wanted = AccountDetails(
            account_name="Ada Obi",
            method=PayoutMethod.BANK_TRANSFER,
            bank_name="Access Bank",
            bank_code="044",
            number=number,
            currency=currency,
            is_default=is_default,
            metadata={},
        )
        return self.run(lambda tx: payout_accounts.add(tx, vault, customer, wanted))

    # What is owed.

    def ride(self, name="ada", *fares):
        """Rides of a driver."""
        events = []
        for fare in fares or ("1000",):
            self._rides += 1
            events.append(event(f"ride-{self._rides}", name, "ride", properties={"fare": fare}))
        self.api.ingest(*events)

    def owe(self, driver, *fares):
        """A final bill for a driver's rides."""
        self.ride(driver["name"], *fares)
        body = {"subscription_id": driver["subscription"]["id"]}
        draft = self.api.make("/v1/bills", body, "bill")
        answer = self.api.post(f"/v1/bills/{draft['id']}/finalize")
        assert answer.status_code == 200, answer.text
        return answer.json()["bill"]

    def set(self, **settings):
        answer = self.api.patch("/v1/organization", json=settings)
        assert answer.status_code == 200, answer.text

    def splits(self, *splits):
        path = f"/v1/plans/{self.plan['id']}/payout-splits"
        return self.api.put(path, json={"splits": list(splits)})

    # How it is paid.

    def initiate(self, bill, **more):
        return self.api.post(f"/v1/bills/{bill['id']}/initiate-payout", **more)

    def post(self, bill, action, **body):
        return self.api.post(f"/v1/bills/{bill['id']}/{action}", json=body or None)

    def bill(self, bill):
        return self.api.get(f"/v1/bills/{bill['id']}").json()["bill"]

    def status(self, bill):
        """How a bill stands: its status, its payout's, and what is due."""
        found = self.bill(bill)
        return found["status"], found["payout_state"], int(Decimal(found["amount_due"]))

    def transactions(self, bill):
        path = f"/v1/bills/{bill['id']}/transactions"
        return self.api.get(path).json()["transactions"]

    def plan_only(self, bill):
        """Somebody initiates a payout, and dies before anything of it is sent."""
        return self.run(lambda tx: payouts.initiate(tx, UUID(bill["id"])))

    def script(self, verb, outcome, **more):
        """Have the provider's next answer of a verb go wrong."""
        self.simulated.next(self.provider, verb, outcome, **more)

    def reverse(self, transaction):
        """A transfer that arrived comes back, and the provider says so as it is asked."""
        fact = Fact(
            kind=Kind.TRANSFER,
            reference=transaction["reference"],
            state=State.REVERSED,
        )
        connection_id = UUID(self.connection["id"])
        return self.run(lambda tx: transfers.apply_fact(tx, connection_id, fact))

    # What happens by itself.

    def work(self):
        """Workers look at what is due, send it, and ask about it."""
        tasks = {task.kind: task for task in self.api.backend.services.tasks}
        do(self.api, *TASKS, tasks[SUBMIT], tasks[ASK])

    def look(self):
        """Workers look at what is due, and send nothing."""
        do(self.api, *TASKS)

    def later(self, **duration):
        self.api.backend.clock.advance(**duration)
        self.work()

    def run(self, work):
        """Do something in a transaction of the tenant's."""
        services = self.api.backend.services

        async def transact():
            async with services.database.transaction(self.api.tenant) as tx:
                return await work(tx)

        return self.api.backend.run(transact())

    # What both sides' books have.

    def sent(self):
        """What the provider paid out by our references, each amount."""
        known = {row["reference"] for row in self._rows("SELECT reference FROM transfers")}
        rows = self.simulated.books(self.provider)["transfers"]
        paid = [one for one in rows if one["reference"] in known and one["status"] == "success"]
        return sorted(Decimal(one["amount"]) for one in paid)

    def balances(self):
        """The tenant's accounts in the books, by kind, but empty ones; they come to zero."""
        rows = self._rows("SELECT kind, sum(balance) AS balance FROM ledger_accounts", "kind")
        assert sum(row["balance"] for row in rows) == 0
        return {row["kind"]: int(row["balance"]) for row in rows if row["balance"]}

    def legs(self, bill):
        rows = self.api.backend.sql(
            "SELECT amount, state FROM payout_legs WHERE bill_id = $1 ORDER BY position",
            UUID(bill["id"]),
        )
        return [(int(row["amount"]), row["state"]) for row in rows]

    def transfer(self, transaction):
        return self.run(lambda tx: transfers.get_transfer(tx, UUID(transaction["id"])))

    def _rows(self, select, group=""):
        grouped = f" GROUP BY {group}" if group else ""
        return self.api.backend.sql(
            f"{select} WHERE org_id = $1 AND is_test{grouped}", self.api.org_id
        )

    def check(self):
        """Verification finds nothing."""
        found = faults(self.api.backend, self.api.tenant)
        assert found == [], found


_PLANTED = (
    """
    INSERT INTO payout_legs (org_id, is_test, id, bill_id, position, customer_id, to_account_id,
        payee_id, currency, amount, state, is_in_flight, transfer_id, failure_code, failure_reason,
        created_at, sent_at, settled_at)
    SELECT org_id, is_test, leg_id, bill_id, 0, customer_id, payout_account_id, customer_id, 'NGN',
        1, 'sending', false, id, '', '', now(), now(), NULL
    FROM transfers WHERE id = $1
    """,
    """
    INSERT INTO payout_parts (org_id, is_test, transfer_id, leg_id, amount, is_excess)
    SELECT org_id, is_test, id, leg_id, 1, false FROM transfers WHERE id = $1
    """,
    """
    INSERT INTO payout_batches (org_id, is_test, currency, hour, amount)
    SELECT org_id, is_test, 'NGN', date_trunc('hour', now()), 1 FROM transfers WHERE id = $1
    """,
)
_SPLIT = """
    INSERT INTO payout_splits (org_id, is_test, plan_id, position, payout_account_id, percentage)
    SELECT org_id, is_test, $2, 0, payout_account_id, 10 FROM transfers WHERE id = $1
"""


def plant_payout(api, plan_id, planted):
    """A leg of the bill that a planted transfer pays, and a split of the bill's plan."""
    for statement in _PLANTED:
        api.backend.sql(statement, UUID(planted["transfer_id"]))
    api.backend.sql(_SPLIT, UUID(planted["transfer_id"]), UUID(plan_id))
