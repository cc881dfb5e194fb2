"""A wallet with a bank account at a simulated provider, into which deposits come."""

from uuid import UUID

from monigo.infra.ids import new_id
from monigo.payments import accounts
from monigo.payments.accounts import ACCOUNT_ASK, DEPOSIT_LIST
from monigo.providers.registry import adapter_of
from support.agenda import pass_until_due, work

BVN = "22245678901"


class Depositor:
    """A customer's wallet, and the account at one provider that pays into it."""

    def __init__(self, api, connection, *, customer_id="ada", currency="NGN"):
        self.api = api
        self.provider = connection["provider"]
        self.connection = connection
        self.services = api.backend.services
        self.simulated = api.backend.simulated
        self.customer = api.customer(
            customer_id, name="Ada Obi", email=f"{customer_id}@example.com", phone="+2348012345678"
        )
        self.wallet = api.wallet(customer_id, currency)
        self.account = None

    @property
    def path(self):
        return f"/v1/wallets/{self.wallet['id']}/virtual-accounts"

    def ask(self, **fields):
        """Ask for an account; the answer."""
        headers = fields.pop("headers", {})
        body = {"provider": self.provider, "currency": "NGN", "bvn": BVN} | fields
        return self.api.http.post(self.path, json=body, headers=headers)

    def open(self, **fields):
        """Have an account opened."""
        answer = self.ask(**fields)
        assert answer.status_code == 201, answer.text
        self.account = answer.json()["virtual_account"]
        return self.account

    def script(self, verb, outcome, **more):
        self.simulated.next(self.provider, verb, outcome, **more)

    def deposit(self, amount, currency="NGN"):
        """Money comes into the account; nobody is told of it but by the provider's own ways."""
        return self.simulated.control(
            "deposit",
            provider=self.provider,
            account_number=self.account["account_number"],
            amount=str(amount),
            currency=currency,
        )

    def listed(self):
        """Let time go by until the account's deposits are listed."""
        self._do(DEPOSIT_LIST)

    def asked(self):
        """Let time go by until the provider is asked about the account."""
        self._do(ACCOUNT_ASK)

    def _do(self, kind):
        assert pass_until_due(self.api, kind) == 1
        tasks = {task.kind: task for task in accounts.tasks(self.services.desk)}
        work(self.api.backend, self.api.tenant, tasks[kind])

    def facts(self):
        """What the provider tells of the account's deposits, newest first."""
        row = self.row()
        asked = accounts.listing_of(row)
        return self.api.backend.run(self._facts(asked, row.connection_id))

    async def _facts(self, asked, connection_id):
        desk, database = self.services.desk, self.services.database
        return (await desk.ask(database, self.api.tenant, connection_id, asked)).result.facts

    def row(self):
        async def get():
            async with self.services.database.transaction(self.api.tenant) as tx:
                return await accounts.get(tx, self.account["id"])

        return self.api.backend.run(get())

    def apply(self, fact, connection=None):
        """What is made of a fact, as a webhook or a list would have it made."""
        connection_id = (connection or self.connection)["id"]
        return self.api.backend.run(self.applying(fact, connection_id))

    async def applying(self, fact, connection_id):
        async with self.services.database.transaction(self.api.tenant) as tx:
            return await accounts.apply_fact(
                tx, self.services.desk.vault, UUID(connection_id), fact
            )

    def balance(self):
        answer = self.api.get(f"/v1/wallets/{self.wallet['id']}").json()
        return answer["wallet"]["balance"]

    def entries(self):
        answer = self.api.get(f"/v1/wallets/{self.wallet['id']}/transactions").json()
        return [row["amount"] for row in answer["transactions"]]


_PLANTED = (
    """
    INSERT INTO virtual_accounts (org_id, is_test, id, customer_id, wallet_id, connection_id,
        provider, currency, reference, state, account_number, created_at, updated_at, submitted_at,
        opened_at)
    SELECT org_id, is_test, $3, customer_id, id, $2, 'paystack', currency, 'planted', 'active',
        '9930000001', now(), now(), now(), now()
    FROM wallets WHERE id = $1
    """,
    """
    INSERT INTO payments (org_id, is_test, id, connection_id, provider, provider_id, rail_id,
        reference, kind, purpose, virtual_account_id, customer_id, currency, amount, fee,
        fee_by_payer, is_by_person, received_at, wallet_id, to_invoice, to_wallet, refunded,
        reversed)
    SELECT org_id, is_test, $3, $2, 'paystack', 'planted deposit', '', '', 'deposit', 'wallet', $3,
        customer_id, currency, 5, 0, 0, false, now(), id, 0, 5, 0, 0
    FROM wallets WHERE id = $1
    """,
)


def plant_account(api, wallet_id, connection_id):
    """A virtual account, and a deposit into it; both of one id."""
    planted = new_id()
    for statement in _PLANTED:
        api.backend.sql(statement, wallet_id, connection_id, planted)
    return {"virtual_account_id": str(planted)}


def repeats(provider):
    """What the same request for an account does once more."""
    return adapter_of(provider).capabilities.repeat["virtual_account"]
