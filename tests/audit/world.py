"""A merchant's things, made as an operation needs them, and who asks for it."""

from datetime import timedelta
from uuid import UUID

from monigo.core.ids import OrganizationId
from monigo.core.times import format_instant
from monigo.infra.db import Tenant
from support.alerts import settle, states
from support.api import Api, event
from support.audit import entries
from support.charges import plant_payments
from support.hooks import endpoint, tried
from support.payments import connect, keys_of
from support.people import Person, new_email
from support.wallets import grant
from support.webhooks import events_of, paid, secret_of, send, work_off
from support.whatsapp import PHONE, connect_whatsapp, connection_body, register

FLAT = {"model": "flat_unit", "unit_price": "2.000000"}


class World:
    """An organisation that a person owns, with a key of its test mode. What is made is its path."""

    def __init__(self, backend):
        self.backend = backend
        self.owner = Person.signed_in(backend)
        self.org_id = self.owner.found()["organization"]["id"]
        self.api = Api.of(backend, OrganizationId(UUID(self.org_id)), is_test=True)
        self.live = Tenant(self.api.org_id, is_test=False)
        self.guests = []

    def close(self):
        for client in (self.owner, self.api, *self.guests):
            client.http.close()

    def entries(self):
        """The log, oldest first: as a key sees it, and then as the owner, who acts in live mode."""
        entries(self.api)
        answer = self.owner.get("/audit-logs", params={"org_id": self.org_id, "limit": 1_000})
        return list(reversed(answer.json()["audit_logs"]))

    def guest(self):
        person = Person.signed_in(self.backend)
        self.guests.append(person)
        return person

    def nothing(self):
        return ""

    def customer(self):
        return self.api.customer(name="Ada")["id"]

    def mail_suppression(self):
        (row,) = self.backend.sql(
            "INSERT INTO mail_suppressions (org_id, is_test, id, address, reason, created_at)"
            " VALUES ($1, true, gen_random_uuid(), 'ada@example.com', 'bounced', now())"
            " RETURNING id",
            self.api.org_id,
        )
        return row["id"]

    def metric(self):
        return self.api.metric()["id"]

    def plan(self, **fields):
        return self.priced_plan(**fields)["id"]

    def priced_plan(self, **fields):
        return self.api.plan({"metric_id": self.metric(), **FLAT}, **fields)

    def subscription(self, **fields):
        return self.api.subscribe(self.customer(), self.plan(**fields))["id"]

    def paused(self):
        subscription_id = self.subscription()
        self.api.patch(f"/v1/subscriptions/{subscription_id}", json={"status": "paused"})
        return subscription_id

    def draft(self):
        subscription_id = self.subscription()
        self.api.ingest(event("call-1"))
        return self.api.draft(subscription_id)["id"]

    def final(self):
        return self.api.finalize(self.draft())["id"]

    def collected(self):
        """A final invoice that can be paid by a link."""
        connect(self.api)
        customer_id = self.customer()
        self.api.put(f"/v1/customers/{customer_id}", json={"email": "ada@example.com"})
        plan = self.api.plan({"metric_id": self.metric(), **FLAT, "unit_price": "500"})
        subscription_id = self.api.subscribe(customer_id, plan["id"])["id"]
        self.api.ingest(event("call-1"))
        return self.api.finalize(self.api.draft(subscription_id)["id"])["id"]

    def failed_try(self):
        """A link that another one took the place of."""
        invoice_id = self.collected()
        path = f"/v1/invoices/{invoice_id}/initiate-payment"
        made = self.api.post(path, json={}).json()["transaction"]
        self.api.backend.sql(
            "UPDATE charges SET state = 'failed', failure_code = 'superseded', settled_at = now()"
            " WHERE id = $1",
            made["id"],
        )
        return f"{invoice_id}/transactions/{made['id']}"

    def paid_by_credits(self):
        """An invoice that credits paid as it became final."""
        subscription_id = self.subscription()
        grant(self.api, self.api.wallet(), "1000")
        self.api.ingest(event("call-1"))
        return self.api.finalize(self.api.draft(subscription_id)["id"])["id"]

    def payable(self):
        self.collected()
        return "c1"

    def method(self):
        """Two saved cards; the path of the one that is not the default."""
        connection_id, customer_id = connect(self.api)["id"], self.customer()
        wallet = self.api.wallet()
        first = plant_payments(self.api, wallet["id"], connection_id)["payment_method_id"]
        other = self.api.backend.sql(
            "INSERT INTO payment_methods (org_id, is_test, id, customer_id, connection_id,"
            " provider, type, token, fingerprint_hash, email, brand, last4, bank, is_default,"
            " created_at) SELECT org_id, is_test, gen_random_uuid(), customer_id, connection_id,"
            " provider, type, token, 'other', email, brand, '1111', bank, false, created_at"
            " FROM payment_methods WHERE id = $1 RETURNING id",
            first,
        )
        return f"{customer_id}/payment-methods/{other[0]['id']}"

    def hook(self):
        """An endpoint, disabled for nothing."""
        return endpoint(self.api)["id"]

    def waiting_hook(self):
        """A delivery that waits for its next attempt."""
        log_id = tried(self.api, self.hook())["id"]
        self.api.backend.sql(
            "UPDATE webhook_deliveries SET next_attempt_at = now() + interval '1 year'"
            " WHERE id = $1",
            log_id,
        )
        return log_id

    def portal_token(self):
        body = {"customer_id": self.customer()}
        return self.api.make("/v1/portal/tokens", body, "token")["id"]

    def payout_account(self):
        """The path of a payee's account, whose name the provider can be asked for."""
        connect(self.api)
        customer_id = self.customer()
        body = {
            "account_name": "Somebody Else",
            "bank_code": "044",
            "account_number": "0690000031",
            "currency": "NGN",
        }
        path = f"/v1/customers/{customer_id}/payout-accounts"
        made = self.api.make(path, body, "payout_account")
        return f"{customer_id}/payout-accounts/{made['id']}"

    def owed(self):
        """A final bill of a payee who has an account."""
        self.payout_account()
        subscription = self.api.subscribe("c1", self.plan(plan_type="payout"))
        self.api.ingest(event("call-1"))
        body = {"subscription_id": subscription["id"]}
        bill = self.api.make("/v1/bills", body, "bill")
        self.api.post(f"/v1/bills/{bill['id']}/finalize")
        return bill["id"]

    def held(self):
        bill_id = self.owed()
        self.api.post(f"/v1/bills/{bill_id}/hold", json={"reason": "a doubt"})
        return bill_id

    def failed_transfer(self):
        bill_id = self.owed()
        self.backend.simulated.next("paystack", "transfer", "failed")
        made = self.api.post(f"/v1/bills/{bill_id}/initiate-payout").json()["transactions"]
        return f"{bill_id}/transactions/{made[0]['id']}"

    def waiting_transfer(self):
        """One that waits for a one-time password."""
        bill_id = self.owed()
        self.backend.simulated.next("paystack", "transfer", "needs_action")
        made = self.api.post(f"/v1/bills/{bill_id}/initiate-payout").json()["transactions"]
        return f"{bill_id}/transactions/{made[0]['id']}"

    def payout_plan(self):
        return self.plan(plan_type="payout")

    def bill(self):
        body = {"subscription_id": self.subscription(plan_type="payout")}
        return self.api.make("/v1/bills", body, "bill")["id"]

    def wallet(self):
        self.customer()
        return self.api.wallet(funds="100")["id"]

    def reservation(self):
        body = {"amount": "5", "currency": "NGN", "idempotency_key": "hold-1"}
        path = f"/v1/wallets/{self.wallet()}/reservations"
        return f"{path}/{self.api.make(path, body, 'reservation')['id']}".removeprefix("/v1/")

    def credit(self):
        body = {"amount": "5", "currency": "NGN", "idempotency_key": "grant-1"}
        path = f"/v1/wallets/{self.wallet()}/credits"
        return f"{path}/{self.api.make(path, body, 'credit')['id']}".removeprefix("/v1/")

    def fundable(self):
        """A wallet whose customer can be asked for money."""
        connect(self.api)
        told = {"name": "Ada Obi", "email": "ada@example.com", "phone": "+2348012345678"}
        self.api.customer("payer", **told)
        return self.api.wallet("payer")["id"]

    def virtual_account(self):
        path = f"wallets/{self.fundable()}/virtual-accounts"
        body = {"provider": "paystack", "currency": "NGN"}
        account = self.api.make(f"/v1/{path}", body, "virtual_account")
        return f"{path}/{account['id']}"

    def rule(self):
        path = f"wallets/{self.wallet()}/auto-top-up"
        self.api.put(f"/v1/{path}", json={"threshold": "1", "amount": "5"})
        return path

    def alert(self):
        scope = {"scope": "subscription", "scope_id": self.subscription()}
        metric_id = self.api.get("/v1/metrics").json()["metrics"][0]["id"]
        body = {"type": "usage_exceeded", **scope, "metric_id": metric_id}
        body["thresholds"] = [{"value": "1"}]
        return self.api.make("/v1/alerts", body, "alert")["id"]

    def disabled_alert(self):
        alert_id = self.alert()
        self.api.post(f"/v1/alerts/{alert_id}/disable")
        return alert_id

    def triggered_alert(self):
        alert_id = self.alert()
        self.api.ingest(event("call-1"))
        settle(self.api)
        return alert_id

    def alert_state(self):
        self.triggered_alert()
        return states(self.api)[0]["id"]

    def override(self):
        return self.api.override(self.customer(), self.priced_plan()["prices"][0]["id"])["id"]

    def connection(self):
        return connect(self.api, label="Ours")["id"]

    def stray_event(self):
        """An event about money that fits nothing."""
        self.connection()
        secret = secret_of(keys_of("paystack", self.api.org_id))
        send(self.api, "paystack", paid("paystack", f"mo{'a' * 30}"), secret)
        work_off(self.api)
        (event,) = events_of(self.api, matched=False)
        return event["id"]

    def unknown_pull(self):
        """A charge of which its provider says nothing."""
        ids = plant_payments(self.api, self.wallet(), self.connection(), state="unknown")
        return ids["charge_id"]

    def account(self):
        """What connects an account at a provider."""
        return {"provider": "paystack", "label": "Ours", **keys_of("paystack", self.api.org_id)}

    def number(self):
        """What connects a number at WhatsApp."""
        register(self.api)
        return connection_body(self.api)

    def connected_number(self):
        connect_whatsapp(self.api)
        return ""

    def reachable(self):
        """A customer with a phone, whom WhatsApp takes messages for."""
        connect_whatsapp(self.api)
        return self.api.customer(phone=PHONE)["id"]

    def window(self):
        now = self.backend.clock.now()
        day_before = format_instant(now - timedelta(days=1))
        return {"from": day_before, "to": format_instant(now)}

    def replay(self):
        return self.api.post("/v1/events/replay", json=self.window()).json()["job"]["id"]

    def key(self):
        body = {"name": "till", "scopes": ["read"], "is_test_mode": True, "org_id": self.org_id}
        return self.owner.post("/api-keys", json=body).json()["api_key"]["id"]

    def member(self):
        other = self.guest()
        self.owner.join(other, self.org_id)
        return other.user_id

    def invitation(self):
        return self.owner.invite(self.org_id, new_email()).json()["invitation"]["id"]
