"""A merchant who pays drivers out through three simulated providers, and what workers do for it."""

from dataclasses import dataclass
from datetime import timedelta

from simulation.money_world import UNIT, World
from support.payments import PROVIDERS, keys_of

# What payouts ask of providers.
VERBS = ("transfer", "bulk", "recipients", "balance", "lookup", "authorize", "list_transfers")
# Between bulks of one connection there must be so long.
ROUND_LASTS = timedelta(seconds=6)
# Flutterwave pays out to no such account.
CLOSED = "0690000036"
PLENTY = "100000000"
LIVE = """
    SELECT id, reference, provider, needs_person_at, state, amount, asked, submitted_at, sent_at,
        waiting_since, first_not_found_at, failure_code, connection_id
    FROM transfers
    WHERE org_id = $1 AND state NOT IN ('succeeded', 'failed', 'reversed')
"""


@dataclass
class Driver:
    """Whom the merchant owes 100 a ride."""

    name: str
    id: str
    email: str
    subscription_id: str


class PayoutWorld(World):
    """The merchant, its drivers, the mail of the providers, and the processes."""

    def __init__(self, backend, dice, tally=None, *, people=3, is_split=None):
        self.accounts = 0
        super().__init__(backend, dice, tally, people=people)
        self.withheld = dice.random() < 0.5
        self.patch(wht_enabled=self.withheld, wht_rate=5)
        self.patch(minimum_payout_amount=str(dice.choice((0, 250))))
        self.choose_provider(PROVIDERS[0])
        if dice.random() < 0.5 if is_split is None else is_split:
            self.split()
        # By reference: when what arrived was seen first.
        self.seen_at = {}

    def make_plan(self):
        """The id of the plan by which all drivers are paid, so much a ride."""
        metric = self.api.metric()
        price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": str(UNIT)}
        return self.api.plan(price, plan_type="payout")["id"]

    def join(self, name):
        """A new driver with an account."""
        customer = self.api.customer(name, name=name.title(), email=f"{name}@example.com")
        subscription = self.api.subscribe(customer["id"], self.plan)
        driver = Driver(name, customer["id"], customer["email"], subscription["id"])
        self.open_account(driver)
        return driver

    def open_account(self, driver, number=""):
        """Another account of a driver, which is the default from then on; its id."""
        self.accounts += 1
        body = {
            "account_name": driver.name.title(),
            "bank_name": "Access Bank",
            "bank_code": "044",
            "account_number": number or f"{1_000_000_000 + self.accounts}",
            "currency": "NGN",
            "is_default": True,
        }
        path = f"/v1/customers/{driver.id}/payout-accounts"
        return self.api.make(path, body, "payout_account")["id"]

    def split(self):
        """A tenth of each bill goes to an owner of cars."""
        owner = self.join("owner")
        listed = self.ask(f"/v1/customers/{owner.id}/payout-accounts")["payout_accounts"]
        part = {"payout_account_id": listed[0]["id"], "percentage": "10"}
        path = f"/v1/plans/{self.plan}/payout-splits"
        assert self.api.put(path, json={"splits": [part]}).status_code == 200

    def patch(self, **settings):
        answer = self.api.patch("/v1/organization", json=settings)
        assert answer.status_code == 200, answer.text

    def choose_provider(self, provider):
        """New transfers go through this provider."""
        path = f"/v1/payment-connections/{self.connections[provider]['id']}"
        answer = self.api.put(path, json={"default_for": {"pay_out": ["NGN"]}})
        assert answer.status_code == 200, answer.text

    def fund(self, provider, amount=PLENTY):
        """What the merchant has at a provider."""
        key = keys_of(provider, self.api.org_id)["test_secret_key"]
        self.simulated.control("balance", provider=provider, secret_key=key, amount=amount)

    def owe(self, person, calls):
        """A final bill of so many rides; None where none can be made."""
        self.ride(person, calls)
        body = {"subscription_id": person.subscription_id}
        drafted = self.send("POST", "/v1/bills", body)
        if not drafted.is_success:
            self.note(drafted)
            return None
        made = self.send("POST", f"/v1/bills/{drafted.json()['bill']['id']}/finalize")
        return made.json()["bill"] if self.note(made) else None

    def learn(self, told):
        """Answers to payouts tell nothing that is not read again."""

    def let_pass(self, duration):
        """Time goes by for us and for the providers, and nobody does anything."""
        self.backend.clock.advance(seconds=duration.total_seconds())
        self.simulated.control("advance", seconds=int(duration.total_seconds()))

    def advance(self, duration):
        """Time goes by, and workers do what is due then."""
        self.tell(f"{duration} go by")
        self.let_pass(duration)
        self.work()

    def between_rounds(self):
        self.let_pass(ROUND_LASTS)

    # What both sides have.

    def rows(self):
        """What the providers' books have of transfers."""
        now = self.backend.clock.now()
        rows = super().rows()["transfers"]
        for row in rows:
            if row["status"] == "success":
                self.seen_at.setdefault(row["reference"], now)
        return rows

    def bills(self):
        return self.ask("/v1/bills", limit=1000)["bills"]

    def transactions(self, bill):
        return self.ask(f"/v1/bills/{bill['id']}/transactions")["transactions"]

    def live(self):
        """Transfers that are not final."""
        return self.backend.sql(LIVE, self.api.org_id)
