"""A merchant's things, made as an operation needs them, and who asks for it."""

from datetime import timedelta
from uuid import UUID

from monigo.core.ids import OrganizationId
from monigo.core.times import format_instant
from monigo.infra.db import Tenant
from support.api import Api, event
from support.audit import entries
from support.people import Person, new_email

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

    def rule(self):
        path = f"wallets/{self.wallet()}/auto-top-up"
        self.api.put(f"/v1/{path}", json={"threshold": "1", "amount": "5"})
        return path

    def override(self):
        return self.api.override(self.customer(), self.priced_plan()["prices"][0]["id"])["id"]

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
