"""Payouts at simulated providers, made, sent and asked about as the product does, without bills."""

from uuid import UUID, uuid4

from monigo.core.ids import CustomerId, InvoiceId, PayoutLegId
from monigo.infra.ids import new_id
from monigo.payments import payout_accounts, transfers
from monigo.payments.payout_accounts import AccountDetails
from monigo.payments.transfers import NewTransfer
from monigo.payments.transfers.outcomes import ASK, SUBMIT
from monigo.providers.port import PayoutMethod
from support.agenda import entries, work
from support.charges import naira

ROUNDS_MAX = 16
FUNDED = 100_000_000


class Payouts:
    """What a tenant pays out through one connection; `settle` lets time go by until all ended."""

    def __init__(self, api, connection):
        self.api = api
        self.connection = connection
        self.provider = connection["provider"]
        self.customer = api.customer(f"driver-{self.provider}", name="Ada Obi")
        api.metric()
        metric_id = api.get("/v1/metrics").json()["metrics"][0]["id"]
        price = {"metric_id": metric_id, "model": "flat_unit", "unit_price": "2.000000"}
        subscription = api.subscribe(self.customer["id"], api.plan(price)["id"])
        self.bill = InvoiceId(UUID(api.draft(subscription["id"])["id"]))
        self._numbers = iter(range(10**9, 2 * 10**9))
        self.fund(FUNDED)

    @property
    def backend(self):
        return self.api.backend

    @property
    def services(self):
        return self.backend.services

    @property
    def vault(self):
        return self.services.desk.vault

    @property
    def tasks(self):
        known = {task.kind: task for task in self.services.tasks}
        return known[SUBMIT], known[ASK]

    def run(self, work):
        """Do something in a transaction of the tenant's."""

        async def transact():
            async with self.services.database.transaction(self.api.tenant) as tx:
                return await work(tx)

        return self.backend.run(transact())

    def fund(self, amount, **more):
        """What the merchant has at the provider."""
        keys = self.backend.sql(
            "SELECT 1 FROM payment_credentials WHERE org_id = $1", self.api.org_id
        )
        assert keys
        self.backend.simulated.control(
            "balance", provider=self.provider, secret_key=self.secret_key, amount=amount, **more
        )

    @property
    def secret_key(self):
        own = self.api.org_id.hex
        return {
            "paystack": f"sk_test_{own}",
            "flutterwave": f"FLWSECK_TEST-{own}-X",
            "monnify": f"MONNIFY_{own}",
        }[self.provider]

    def account(self, number=None, **fields):
        """A payee's account; each has a number of its own."""
        details = AccountDetails(
            **{
                "account_name": "Ada Obi",
                "method": PayoutMethod.BANK_TRANSFER,
                "bank_name": "Access Bank",
                "bank_code": "044",
                "number": number or str(next(self._numbers)),
                "currency": "NGN",
                "is_default": False,
                "metadata": {},
                **fields,
            }
        )
        return self.run(
            lambda tx: payout_accounts.add(tx, self.vault, self.customer["id"], details)
        )

    def wanted(self, amount="700", account=None, leg=None, **more):
        account = account or self.account()
        return NewTransfer(
            leg_id=PayoutLegId(leg or uuid4()),
            bill_id=self.bill,
            customer_id=CustomerId(UUID(self.customer["id"])),
            payout_account_id=account.id,
            amount=naira(amount),
            narration="Rides",
            **more,
        )

    def create(self, *wanted):
        return self.run(lambda tx: transfers.create(tx, wanted))

    def one(self, amount="700", **more):
        (made,) = self.create(self.wanted(amount, **more))
        return made

    def submit(self, *made):
        """Send transfers, or ask about them, as a request does that waits for the answer."""
        ids = [one.id for one in made]
        return self.backend.run(
            transfers.submit(self.services.desk, self.services.database, self.api.tenant, ids)
        )

    def look(self, made):
        return self.run(lambda tx: transfers.get_transfer(tx, made.id))

    def script(self, verb, outcome, **more):
        """Have the provider's next answer of a verb go wrong."""
        self.backend.simulated.next(self.provider, verb, outcome, **more)

    def end(self, made, status, **more):
        """What was sent ends so at the provider."""
        body = {"provider": self.provider, "reference": made.reference, "status": status}
        self.backend.simulated.control("settle", **body, **more)

    def work(self):
        """Workers do what is due."""
        for task in self.tasks:
            work(self.backend, self.api.tenant, task)

    def pass_time(self):
        """Let time go by until something is due, and have workers do it; False if nothing is."""
        waiting = [
            row["due_at"]
            for task in self.tasks
            for row in entries(self.backend, self.api.tenant, task.kind)
        ]
        if not waiting:
            return False
        wait = (min(waiting) - self.services.database.real_now()).total_seconds()
        self.backend.clock.advance(seconds=max(wait, 0) + 1)
        self.work()
        return True

    def settle(self, *made):
        """Let time go by until these ended, or are a person's; as they stand then."""
        for _ in range(ROUNDS_MAX * 8):
            found = [self.look(one) for one in made]
            if all(not one.is_live or one.needs_person_at for one in found):
                return found
            if not self.pass_time():
                break
        return [self.look(one) for one in made]

    def facts(self, *made):
        """What was reported of transfers, in order."""
        rows = self.backend.sql(
            "SELECT type FROM outbox_facts WHERE org_id = $1 AND subject_id = ANY ($2) ORDER BY id",
            self.api.org_id,
            [one.id for one in made],
        )
        return [row["type"] for row in rows]

    def booked(self):
        """What the provider's books have of this tenant's references."""
        own = {
            row["reference"]
            for row in self.backend.sql(
                "SELECT reference FROM transfers WHERE org_id = $1", self.api.org_id
            )
        }
        rows = self.backend.simulated.books(self.provider)["transfers"]
        return [row for row in rows if row["reference"] in own]

    def paid(self):
        """What payees have by the provider's books, by reference."""
        return {
            row["reference"]: row["amount"] for row in self.booked() if row["status"] == "success"
        }


# An account of a payee's, and a transfer to it that nobody knows the end of.
_PLANTED = """
    INSERT INTO transfers (org_id, is_test, id, leg_id, bill_id, customer_id, payout_account_id,
        payout_method, bank_code, bank_name, account_name, number_ciphertext, last4, connection_id,
        provider, attempt, reference, currency, amount, narration, actor, state, needs_otp,
        is_alone, is_excess, failure_reason, failure_is_final, provider_id, rail_id, created_at,
        submitted_at, sent_at, asked, note, is_contradicted)
    SELECT org_id, is_test, $3, $3, $4, customer_id, id, payout_method, bank_code, bank_name,
        account_name, number_ciphertext, last4, $5, 'paystack', 1, 'mo' || ($3::uuid)::text, 'NGN',
        9, '', 'planted', 'unknown', false, false, false, '', false, '', '', now(), now(), now(),
        0, '', false
    FROM payout_accounts WHERE org_id = $1 AND is_test = $2
"""
_TURN = """
    INSERT INTO transfer_turns (org_id, is_test, connection_id, free_at)
    VALUES ($1, $2, $3, now())
"""


def plant_transfer(api, bill, connection_id):
    """A payout account of a bill's customer, a transfer to it, and a turn of its connection."""
    tenant, planted = (api.tenant.org_id, api.tenant.is_test), new_id()
    body = {
        "account_name": "Ada Obi",
        "bank_code": "044",
        "account_number": "0690000031",
        "currency": "NGN",
    }
    path = f"/v1/customers/{bill['customer_id']}/payout-accounts"
    account = api.make(path, body, "payout_account")
    api.backend.sql(_PLANTED, *tenant, planted, bill["id"], connection_id)
    api.backend.sql(_TURN, *tenant, connection_id)
    return {"payout_account_id": account["id"], "transfer_id": str(planted)}
