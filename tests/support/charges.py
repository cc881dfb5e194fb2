"""Charges of simulated providers, made and asked about as the product does, without routes."""

from uuid import UUID

from monigo.core.ids import ConnectionId, CustomerId, InvoiceId, WalletId
from monigo.core.money import Money, round_amount
from monigo.infra.ids import new_id
from monigo.payments import charges, methods, refunds
from monigo.payments.charges import NewCheckout, NewPull, Purpose
from monigo.providers.port import SavedMethod, Wire, from_wire

_WHOLE = Wire(0, 2)


def naira(amount):
    return Money(round_amount(from_wire(str(amount), "NGN", {"": _WHOLE}).amount), "NGN")


class Till:
    """What a tenant asks of its customers through one connection."""

    def __init__(self, api, connection, customer=None):
        self.api = api
        self.connection = connection
        self.provider = connection["provider"]
        self.customer = customer or api.customer(
            f"payer-{self.provider}", name="Ada Obi", email="ada@example.com"
        )
        self.wallet = api.wallet(self.customer["id"])

    @property
    def services(self):
        return self.api.backend.services

    def run(self, work):
        """Do something in a transaction of the tenant's."""

        async def transact():
            async with self.services.database.transaction(self.api.tenant) as tx:
                return await work(tx)

        return self.api.backend.run(transact())

    def checkout(self, amount="2500", **more):
        """The intent of a link that funds the wallet, or pays an invoice if one is given."""
        purpose = Purpose.INVOICE if more.get("invoice_id") else Purpose.WALLET
        wallet_id = None if more.get("invoice_id") else WalletId(UUID(self.wallet["id"]))
        wanted = NewCheckout(
            purpose=more.pop("purpose", purpose),
            amount=naira(amount),
            customer_id=CustomerId(UUID(self.customer["id"])),
            connection_id=ConnectionId(UUID(self.connection["id"])),
            provider=self.provider,
            email="ada@example.com",
            wallet_id=wallet_id,
            return_url="https://shop.example/back",
            description="Fares",
            **more,
        )
        return self.run(lambda tx: charges.create_checkout(tx, wanted))

    def pull(self, method, amount="2500", *, invoice_id=None, **more):
        """The intent of a charge of a saved method."""
        wanted = NewPull(
            purpose=Purpose.INVOICE if invoice_id else Purpose.WALLET,
            amount=naira(amount),
            method=method,
            invoice_id=invoice_id and InvoiceId(invoice_id),
            wallet_id=None if invoice_id else WalletId(UUID(self.wallet["id"])),
            **more,
        )
        (charge,) = self.run(lambda tx: charges.create_pulls(tx, [wanted]))
        return charge

    def submit(self, charge):
        """Send a charge, or ask about it."""
        return self.api.backend.run(
            charges.submit(self.services.desk, self.services.database, self.api.tenant, charge.id)
        )

    def look(self, charge):
        return self.run(lambda tx: charges.get_charge(tx, charge.id))

    def pay(self, charge, **how):
        return self.api.backend.simulated.pay(self.provider, charge.reference, **how)

    def script(self, verb, outcome, **more):
        """Have the provider's next answer of a verb go wrong."""
        self.api.backend.simulated.next(self.provider, verb, outcome, **more)

    def card(self):
        """A card that a customer let us keep as it paid a link."""
        charge = self.submit(self.checkout(save_method=True))
        self.pay(charge)
        self.submit(charge)
        (method,) = self.run(
            lambda tx: methods.list_methods(tx, CustomerId(UUID(self.customer["id"])))
        )
        return method

    def apply(self, charge, outcome, **how):
        """Have a provider's word count."""
        vault = self.services.desk.vault
        return self.run(lambda tx: charges.apply_outcome(tx, vault, charge.id, outcome, **how))

    def refund(self, wanted):
        return self.run(lambda tx: refunds.create_refund(tx, wanted))

    def submit_refund(self, refund):
        return self.api.backend.run(
            refunds.submit_refund(
                self.services.desk, self.services.database, self.api.tenant, refund.id
            )
        )

    def payments(self):
        """All money that came in, oldest first."""
        return self.api.backend.sql(
            "SELECT id, provider_id, amount, refunded, reversed, charge_id FROM payments"
            " WHERE org_id = $1 AND is_test = $2 ORDER BY id",
            self.api.tenant.org_id,
            self.api.tenant.is_test,
        )

    def booked(self, kind="charges"):
        """What the provider's books have of this tenant's references."""
        own = {
            row["reference"]
            for row in self.api.backend.sql(
                "SELECT reference FROM charges WHERE org_id = $1", self.api.tenant.org_id
            )
        }
        rows = self.api.backend.simulated.books(self.provider)[kind]
        key = "charge" if kind == "refunds" else "reference"
        return [row for row in rows if row[key] in own]


def saved(token="AUTH_1", **more):
    """A card as a provider tells of it."""
    told = {"fingerprint": f"print of {token}", "last4": "4081", "brand": "visa"}
    expiry = {"exp_month": "12", "exp_year": "2030"}
    return SavedMethod(token=token, is_reusable=True, **{**told, **expiry, **more})


# A card; a pull of it, which brought money; of that a part went back, and the rest is disputed.
_PLANTED = (
    """
    INSERT INTO payment_methods (org_id, is_test, id, customer_id, connection_id, provider, type,
        token, fingerprint_hash, email, brand, last4, bank, is_default, created_at)
    SELECT org_id, is_test, $3, customer_id, $2, 'paystack', 'card', 'planted', 'planted', '',
        'visa', '4081', '', true, now()
    FROM wallets WHERE id = $1
    """,
    """
    INSERT INTO charges (org_id, is_test, id, kind, purpose, customer_id, wallet_id, subject_id,
        connection_id, provider, method_id, attempt, reference, currency, amount, description,
        email, return_url, save_method, is_inline, actor, state, failure_reason, failure_is_final,
        provider_id, url, access_code, created_at, submitted_at, sent_at, settled_at, asked, note,
        is_contradicted)
    SELECT org_id, is_test, $3, 'pull', 'wallet', customer_id, id, id, $2, 'paystack', $3, 1,
        'mo' || ($3::uuid)::text, 'NGN', 9, '', '', '', false, false, 'planted', $4::text, '',
        false,
        'planted', '', '', now(), now(), now(),
        CASE WHEN $4::text = 'succeeded' THEN now() END, 0, '', false
    FROM wallets WHERE id = $1
    """,
    """
    INSERT INTO payments (org_id, is_test, id, connection_id, provider, provider_id, rail_id,
        reference, kind, purpose, charge_id, customer_id, currency, amount, fee, fee_by_payer,
        is_by_person, received_at, wallet_id, to_invoice, to_wallet, refunded, reversed)
    SELECT org_id, is_test, $3, $2, 'paystack', 'planted', '', '', 'charge', 'wallet', $3,
        customer_id, 'NGN', 9, 0, 0, false, now(), id, 0, 9, 2, 0
    FROM wallets WHERE id = $1
    """,
    """
    INSERT INTO refunds (org_id, is_test, id, payment_id, charge_id, customer_id, connection_id,
        provider, attempt, reference, currency, amount, reason, destination, actor, state,
        failure_reason, provider_id, created_at, settled_at, asked, note)
    SELECT org_id, is_test, $3, $3, $3, customer_id, $2, 'paystack', 1,
        'mo' || ($3::uuid)::text, 'NGN', 2, '', 'provider', 'planted', 'succeeded', '', '',
        now(), now(), 0, ''
    FROM wallets WHERE id = $1
    """,
    """
    INSERT INTO disputes (org_id, is_test, id, payment_id, connection_id, provider_id, currency,
        amount, lost_amount, state, reason, opened_at)
    SELECT org_id, is_test, $3, $3, $2, 'planted', 'NGN', 7, 0, 'open', '', now()
    FROM wallets WHERE id = $1
    """,
)


def plant_payments(api, wallet_id, connection_id, *, state="succeeded"):
    """A saved card, a pull of it into a wallet, a refund and a dispute; all of one id.

    Of another pull than one that succeeded nothing came.
    """
    planted = new_id()
    card, pull, *brought = _PLANTED
    api.backend.sql(card, wallet_id, connection_id, planted)
    api.backend.sql(pull, wallet_id, connection_id, planted, state)
    for statement in brought if state == "succeeded" else ():
        api.backend.sql(statement, wallet_id, connection_id, planted)
    return {"charge_id": str(planted), "payment_method_id": str(planted)}
