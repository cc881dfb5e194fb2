"""A merchant's client: the calls that most tests make, each checked to succeed."""

import itertools

import httpx

from monigo import tenancy
from monigo.core.ids import OrganizationId
from monigo.infra.db import Tenant
from support.backend import Backend
from support.error_codes import check_refusal

_counter = itertools.count(1)


class Api:
    """Calls the API with one key. `get`, `post` … answer the raw response."""

    def __init__(self, backend: Backend, org_id: OrganizationId, secret: str, *, is_test: bool):
        self.backend = backend
        self.org_id = org_id
        self.secret = secret
        self.tenant = Tenant(org_id, is_test)
        self.http = httpx.Client(
            base_url=backend.url,
            headers={"Authorization": f"Bearer {secret}"},
            timeout=60,
            event_hooks={"response": [check_refusal]},
        )
        self.get, self.post, self.put = self.http.get, self.http.post, self.http.put
        self.patch, self.delete = self.http.patch, self.http.delete

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.close()

    @classmethod
    def of_new_organization(cls, backend: Backend, *, is_test: bool = True):
        organization = backend.run(
            tenancy.create_organization(backend.services.database, f"org {next(_counter)}")
        )
        return cls.of(backend, organization.id, is_test=is_test)

    @classmethod
    def of(cls, backend: Backend, org_id, *, is_test: bool, scopes=tenancy.ALL_SCOPES):
        issued = backend.run(
            tenancy.issue_key(
                backend.services.database,
                org_id,
                name="test",
                is_test_mode=is_test,
                scopes=scopes,
            )
        )
        return cls(backend, org_id, issued.secret, is_test=is_test)

    def make(self, path, body, envelope):
        response = self.post(path, json=body)
        assert response.status_code in {200, 201}, response.text
        return response.json()[envelope]

    def customer(self, external_id="c1", **fields):
        return self.make("/v1/customers", {"external_id": external_id, **fields}, "customer")

    def metric(self, event_name="api_call", **fields):
        body = {"name": event_name, "event_name": event_name, "aggregation": "count", **fields}
        return self.make("/v1/metrics", body, "metric")

    def plan(self, *prices, **fields):
        return self.make("/v1/plans", {"name": "Plan", "prices": list(prices), **fields}, "plan")

    def override(self, customer_id, price_id, **fields):
        terms = {} if "model" in fields else {"model": "flat_unit", "unit_price": "1.000000"}
        body = {"customer_id": customer_id, "price_id": price_id, **terms, **fields}
        return self.make("/v1/price-overrides", body, "price_override")

    def subscribe(self, customer_id, plan_id, **fields):
        body = {"customer_id": customer_id, "plan_id": plan_id, **fields}
        return self.make("/v1/subscriptions", body, "subscription")

    def ingest(self, *events):
        response = self.post("/v1/ingest", json={"events": list(events)})
        assert response.status_code == 202, response.text
        return response.json()

    def draft(self, subscription_id):
        return self.make("/v1/invoices/generate", {"subscription_id": subscription_id}, "invoice")

    def finalize(self, invoice_id):
        return self.make(f"/v1/invoices/{invoice_id}/finalize", None, "invoice")

    def wallet(self, customer_id="c1", currency="NGN", *, funds=None):
        """A customer's wallet, with money if asked for."""
        body = {"customer_id": customer_id, "currency": currency}
        wallet = self.make("/v1/wallets", body, "wallet")
        if funds is not None:
            wallet = self.move(wallet, "credit", funds, "deposit").json()["wallet"]
        return wallet

    def move(self, wallet, direction, amount, entry_type="usage", key=None, **fields):
        """The raw answer to a credit or debit; each has a key of its own unless one is given."""
        body = {
            "amount": amount,
            "currency": wallet["currency"],
            "entry_type": entry_type,
            "idempotency_key": key or f"move-{next(_counter)}",
            **fields,
        }
        return self.post(f"/v1/wallets/{wallet['id']}/{direction}", json=body)

    def subscribed_customer(self, *, unit_price="2.000000"):
        """A customer on a flat plan over `api_call`; the metric, plan and subscription, too."""
        customer, metric = self.customer(), self.metric()
        price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": unit_price}
        plan = self.plan(price)
        return customer, metric, plan, self.subscribe(customer["id"], plan["id"])


def event(key, customer="c1", name="api_call", **fields):
    return {"event_name": name, "customer_id": customer, "idempotency_key": key, **fields}
