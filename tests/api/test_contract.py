"""Every route against the published contract: statuses, envelopes, shapes, errors."""

import json
import re
from pathlib import Path

import httpx
import pytest

from monigo.tenancy import Scope
from support import shapes
from support.api import Api, event

CONTRACT = Path(__file__).parent.parent / "contract"
OPERATIONS = json.loads((CONTRACT / "operations.json").read_text())["operations"]
# Ours, beside the contract.
EXTRA_OPERATIONS = {
    "GET /healthz",
    "GET /readyz",
    "GET /v1/organization",
    "PATCH /v1/organization",
    "GET /v1/test-clock",
    "POST /v1/test-clock/advance",
    "DELETE /v1/test-clock",
    "POST /v1/test-data/reset",
    "DELETE /v1/invoices/{}",
    "GET /v1/bills/{}/explain",
    "GET /v1/events/replay",
    "GET /v1/invoices/{}/explain",
    "GET /v1/plans/simulations/{}",
    "GET /v1/plans/{}/revisions",
    "GET /v1/payout-rules/unmatched",
    "GET /v1/usage/series",
    "GET /v1/billing-events",
    "GET /v1/reports/receivables-aging",
    "GET /v1/reports/trial-balance",
    "GET /v1/reports/withholding-tax",
    "GET /v1/customers/{}/payout-statement.csv",
    "GET /v1/set-aside",
    "GET /v1/customer-mails",
    "GET /v1/customer-mails/preview",
    "GET /v1/mail-suppressions",
    "DELETE /v1/mail-suppressions/{}",
    "GET /v1/subscriptions/{}/timeline",
    "GET /v1/subscriptions/{}/upcoming-invoice",
    "POST /v1/invoices/{}/mark-paid",
    "POST /v1/invoices/{}/initiate-payment",
    "GET /v1/invoices/{}/transactions",
    "POST /v1/invoices/{}/transactions/{}/retry",
    "POST /v1/invoices/{}/refunds",
    "GET /v1/banks",
    "GET /v1/webhook-delivery-logs/{}",
    "POST /v1/webhook-endpoints/{}/rotate-secret",
    "POST /v1/webhook-endpoints/{}/test",
    "POST /v1/portal/sessions",
    "POST /v1/bills/{}/initiate-payout",
    "GET /v1/bills/{}/transactions",
    "POST /v1/bills/{}/transactions/{}/retry",
    "POST /v1/bills/{}/hold",
    "POST /v1/bills/{}/release",
    "GET /v1/plans/{}/payout-splits",
    "PUT /v1/plans/{}/payout-splits",
    "POST /v1/customers/{}/payout-accounts/{}/resolve",
    "POST /v1/bills/{}/transactions/{}/authorize",
    "POST /v1/bills/{}/transactions/{}/resend-otp",
    "GET /v1/customers/{}/payment-methods",
    "POST /v1/customers/{}/payment-methods/setup",
    "PUT /v1/customers/{}/payment-methods/{}/default",
    "DELETE /v1/customers/{}/payment-methods/{}",
    "GET /v1/payment-connections/{}/reconciliation",
    "GET /v1/provider-events",
    "POST /v1/provider-events/{}/ignore",
    "POST /v1/provider-events/{}/match",
    "POST /v1/provider-events/{}/refund",
    "POST /v1/provider-events/{}/replay",
    "POST /v1/events/replay/{}/cancel",
    "PATCH /v1/wallets/{}",
    "GET /v1/wallets/{}/statement.csv",
    "GET /v1/wallets/{}/reservations",
    "POST /v1/wallets/{}/reservations",
    "POST /v1/wallets/{}/reservations/{}/capture",
    "POST /v1/wallets/{}/reservations/{}/release",
    "GET /v1/wallets/{}/credits",
    "POST /v1/wallets/{}/credits",
    "POST /v1/wallets/{}/fund",
    "DELETE /v1/wallets/{}/virtual-accounts/{}",
    "POST /v1/wallets/{}/credits/{}/revoke",
    "DELETE /v1/wallets/{}/auto-top-up",
    "GET /v1/wallets/{}/auto-top-up",
    "GET /v1/wallets/{}/top-ups",
    "PUT /v1/wallets/{}/auto-top-up",
    "POST /v1/plans/simulate",
    "GET /v1/payment-connections/{}/calls",
    "GET /webhooks/whatsapp/{}",
    "POST /webhooks/whatsapp/{}",
    "POST /v1/transactions/{}/resolve",
    "POST /api/v1/auth/second-factor",
    "POST /api/v1/auth/reauthenticate",
    "POST /api/v1/auth/second-factor/options",
    "POST /api/v1/auth/reauthenticate/options",
    "GET /api/v1/user/passkeys",
    "POST /api/v1/user/passkeys",
    "POST /api/v1/user/passkeys/options",
    "PATCH /api/v1/user/passkeys/{}",
    "DELETE /api/v1/user/passkeys/{}",
    "GET /api/v1/user/second-factor",
    "POST /api/v1/user/second-factor",
    "POST /api/v1/user/second-factor/confirm",
    "POST /api/v1/user/second-factor/recovery-codes",
    "POST /api/v1/user/second-factor/off",
    "GET /api/v1/audit-logs/export",
    "PATCH /api/v1/organizations/{}/members/{}",
    "GET /api/v1/organizations/{}/invitations",
    "DELETE /api/v1/organizations/{}/invitations/{}",
}


def anonymous(path):
    """A path without the names of its parameters, on which the two sides need not agree."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def name(method, path):
    return f"{method.upper()} {anonymous(path)}"


@pytest.fixture(scope="module")
def openapi(backend):
    return httpx.get(f"{backend.url}/openapi.json", timeout=60).json()


@pytest.fixture(scope="module")
def served(openapi):
    """What the running application serves: operation → its description."""
    return {
        name(method, path): operation
        for path, operations in openapi["paths"].items()
        for method, operation in operations.items()
    }


@pytest.fixture(scope="module")
def world(backend):
    """One of everything, with a final invoice and a draft."""
    with Api.of_new_organization(backend) as api:
        customer, metric, plan, subscription = api.subscribed_customer()
        override = api.override(customer["id"], plan["prices"][0]["id"])
        api.ingest(event("1", timestamp=None), event("2"))
        final = api.finalize(api.draft(subscription["id"])["id"])
        api.ingest(event("3"))
        draft = api.draft(subscription["id"])
        wallet = api.wallet(funds="100")
        api.world = {
            "customer": customer,
            "metric": metric,
            "plan": plan,
            "override": override,
            "subscription": subscription,
            "final": final,
            "draft": draft,
            "wallet": wallet,
        }
        yield api


def test_every_served_operation_tells_the_contracts_status(served):
    told = {known: set(operation["responses"]) for known, operation in served.items()}
    wanted = {
        name(operation["method"], operation["path"]): {str(code) for code in operation["success"]}
        for operation in OPERATIONS
    }

    untold = {known: wanted[known] - told[known] for known in told.keys() & wanted.keys()}

    assert {known: statuses for known, statuses in untold.items() if statuses} == {}


def test_what_is_not_served_yet_is_written_down(served):
    contract = {name(operation["method"], operation["path"]) for operation in OPERATIONS}

    missing = sorted(contract - served.keys())

    assert missing == (CONTRACT / "not_yet_served.txt").read_text().splitlines()


def test_nothing_is_served_that_neither_the_contract_nor_we_list(served):
    listed = {name(operation["method"], operation["path"]) for operation in OPERATIONS}
    listed |= EXTRA_OPERATIONS

    twins = {known.replace("/v1/", "/api/v1/") for known in listed}
    twins |= {known.replace("/api/v1/", "/v1/") for known in listed}

    assert served.keys() - listed - twins == set()


def test_every_operation_of_a_key_is_served_under_both_faces(served):
    keys_only = {
        "POST /v1/ingest",
        "GET /v1/organization",
        "PATCH /v1/organization",
        "GET /v1/test-clock",
        "POST /v1/test-clock/advance",
        "DELETE /v1/test-clock",
        "POST /v1/test-data/reset",
    }

    of_keys = {known for known in served if " /v1/" in known} - keys_only

    assert {known.replace("/v1/", "/api/v1/") for known in of_keys} <= served.keys()


def test_every_operation_is_described_with_a_schema(served):
    successes = {
        (known, status, media): content.get("schema")
        for known, operation in served.items()
        for status, response in operation["responses"].items()
        for media, content in response.get("content", {}).items()
        if status.startswith("2")
    }

    assert [described for described, schema in successes.items() if not schema] == []
    assert [known for known, operation in served.items() if not operation.get("summary")] == []


def test_every_request_body_shows_an_example(openapi, served):
    bodies = {
        known: operation["requestBody"]["content"]["application/json"]
        for known, operation in served.items()
        if "requestBody" in operation
    }
    schemas = openapi["components"]["schemas"]

    without = [
        known
        for known, body in bodies.items()
        if "example" not in body
        and "example" not in json.dumps(schemas[body["schema"]["$ref"].rpartition("/")[2]])
    ]

    assert without == []


def test_every_documented_error_has_the_contracts_body(served):
    errors = {
        (known, status): response.get("content")
        for known, operation in served.items()
        for status, response in operation["responses"].items()
        if not status.startswith("2")
    }
    body = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}

    assert {place: content for place, content in errors.items() if content != body} == {}


@pytest.mark.parametrize(
    ("path", "envelope", "shape"),
    [
        ("customers/{customer}", "customer", shapes.CUSTOMER),
        ("metrics/{metric}", "metric", shapes.METRIC),
        ("plans/{plan}", "plan", shapes.PLAN),
        ("price-overrides/{override}", "price_override", shapes.PRICE_OVERRIDE),
        ("subscriptions/{subscription}", "subscription", shapes.SUBSCRIPTION),
        ("invoices/{final}", "invoice", shapes.INVOICE),
        ("invoices/{draft}", "invoice", shapes.INVOICE),
    ],
)
@pytest.mark.parametrize("face", ["/v1", "/api/v1"])
def test_one_object_comes_in_its_envelope_with_all_its_fields(world, face, path, envelope, shape):
    ids = {known: item["id"] for known, item in world.world.items()}

    body = world.get(f"{face}/{path.format(**ids)}").json()

    assert list(body) == [envelope]
    assert shapes.differences(body[envelope], shape) == {}


@pytest.mark.parametrize("face", ["/v1", "/api/v1"])
@pytest.mark.parametrize(
    ("collection", "shape"),
    [
        ("customers", shapes.CUSTOMER),
        ("metrics", shapes.METRIC),
        ("plans", shapes.PLAN),
        ("price-overrides", shapes.PRICE_OVERRIDE),
        ("subscriptions", shapes.SUBSCRIPTION),
        ("invoices", shapes.INVOICE),
        ("wallets", shapes.WALLET),
    ],
)
def test_a_list_comes_with_its_counts_and_whole_objects(world, face, collection, shape):
    body = world.get(f"{face}/{collection}").json()

    items = body.pop(collection.replace("-", "_"))

    assert items != []
    assert body == {"count": len(items), "total": len(items), "has_more": False}
    assert [shapes.differences(item, shape) for item in items] == [{}] * len(items)


@pytest.mark.parametrize(
    "collection",
    ["customers", "metrics", "plans", "price-overrides", "subscriptions", "invoices", "wallets"],
)
def test_an_empty_list_is_a_list(api, collection):
    assert api.get(f"/v1/{collection}").json() == {
        collection.replace("-", "_"): [],
        "count": 0,
        "total": 0,
        "has_more": False,
    }


def test_prices_and_line_items_carry_all_their_fields(world):
    prices = world.world["plan"]["prices"]
    lines = [*world.world["final"]["line_items"], *world.world["draft"]["line_items"]]

    assert [shapes.differences(price, shapes.PRICE) for price in prices] == [{}]
    assert [shapes.differences(line, shapes.LINE_ITEM) for line in lines] == [{}, {}]


def test_a_credit_line_carries_all_fields_too(api):
    metric = api.metric("refund", aggregation="sum", aggregation_property="n")
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"}
    subscription = api.subscribe(api.customer()["id"], api.plan(price)["id"])
    api.ingest(event("minus", name="refund", properties={"n": -5}))

    lines = api.draft(subscription["id"])["line_items"]

    assert [shapes.differences(line, shapes.LINE_ITEM) for line in lines] == [{}, {}]
    assert [line["metric_id"] for line in lines] == [metric["id"], None]


@pytest.mark.parametrize("face", ["/v1", "/api/v1"])
def test_a_wallet_comes_with_virtual_accounts_and_its_transactions_apart(world, face):
    path = f"{face}/wallets/{world.world['wallet']['id']}"

    one, moved = world.get(path).json(), world.get(f"{path}/transactions").json()

    assert list(one) == ["wallet", "virtual_accounts"]
    assert shapes.differences(one["wallet"], shapes.WALLET) == {}
    assert list(moved) == ["transactions", "total", "limit", "offset", "next_cursor"]
    assert [shapes.differences(entry, shapes.ENTRY) for entry in moved["transactions"]] == [{}]


@pytest.mark.parametrize("face", ["/v1", "/api/v1"])
@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "any"}])
@pytest.mark.parametrize("direction", ["credit", "debit"])
def test_a_movement_answers_with_the_wallet_and_both_entries(world, face, headers, direction):
    body = {"amount": "1", "currency": "NGN", "entry_type": "usage"}
    key = f"{face}{direction}{len(headers)}"
    path = f"{face}/wallets/{world.world['wallet']['id']}/{direction}"

    told = world.post(path, json={**body, "idempotency_key": key}, headers=headers).json()

    assert list(told) == ["wallet", "ledger_entries"]
    assert shapes.differences(told["wallet"], shapes.WALLET) == {}
    assert [shapes.differences(one, shapes.ENTRY) for one in told["ledger_entries"]] == [{}, {}]


@pytest.mark.parametrize("face", ["/v1", "/api/v1"])
def test_usage_comes_as_rollups_and_their_count(world, face):
    body = world.get(f"{face}/usage").json()

    assert (body.keys(), body["count"]) == ({"rollups", "count"}, 1)
    assert shapes.differences(body["rollups"][0], shapes.ROLLUP) == {}


def test_the_organization_comes_in_its_envelope(world):
    body = world.get("/v1/organization").json()

    assert list(body) == ["organization"]
    assert shapes.differences(body["organization"], shapes.ORGANIZATION) == {}


def test_ingest_answers_with_the_keys_counted_now_and_before(api):
    api.customer()

    response = api.post("/v1/ingest", json={"events": [event("1"), event("1")]})

    assert response.status_code == 202
    assert response.json() == {"ingested": ["1"], "duplicates": ["1"]}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("invoices/{invoice}", "invoice deleted"),
        ("subscriptions/{subscription}", "subscription deleted"),
        ("price-overrides/{override}", "price override deleted"),
        ("plans/{plan}", "plan deleted"),
        ("metrics/{metric}", "metric deleted"),
        ("customers/{customer}", "customer deleted"),
    ],
)
def test_a_delete_answers_with_a_message(api, path, message):
    customer, _, plan, subscription = api.subscribed_customer()
    ids = {
        "override": api.override(customer["id"], plan["prices"][0]["id"])["id"],
        "customer": api.customer("c2")["id"],
        "metric": api.metric("m2")["id"],
        "plan": api.plan()["id"],
        "subscription": subscription["id"],
        "invoice": api.draft(subscription["id"])["id"],
    }

    deleted = api.delete(f"/v1/{path.format(**ids)}")

    assert (deleted.status_code, deleted.json()) == (200, {"message": message})


def test_times_are_utc_and_end_in_z(api):
    *_, plan, _ = api.subscribed_customer()
    other = api.customer("c2")

    subscription = api.subscribe(
        other["id"], plan["id"], end_date="2099-01-01T01:00:00.123456789+01:00"
    )

    assert subscription["end_date"] == "2099-01-01T00:00:00.123456Z"


@pytest.fixture
def error(api, backend, request):
    """The answer to a request that fails with the status asked for."""
    customer, *_ = api.subscribed_customer()
    reader = Api.of(backend, api.org_id, is_test=True, scopes=[Scope.READ])
    key = {"Idempotency-Key": "reused"}
    api.post("/v1/metrics", json={"name": "m", "event_name": "m"}, headers=key)
    fail = {
        400: lambda: api.post("/v1/plans", json={}),
        401: lambda: httpx.get(f"{backend.url}/v1/customers"),
        403: lambda: reader.post("/v1/customers", json={}),
        404: lambda: api.get("/v1/customers/nobody"),
        405: lambda: api.patch("/v1/customers", json={}),
        409: lambda: api.delete(f"/v1/customers/{customer['id']}"),
        413: lambda: api.post("/v1/customers", content=b" " * (1024 * 1024 + 1)),
        422: lambda: api.post("/v1/metrics", json={}, headers=key),
    }[request.param]
    yield request.param, fail()
    reader.http.close()


@pytest.mark.parametrize("error", [400, 401, 403, 404, 405, 409, 413, 422], indirect=True)
def test_an_error_is_a_message_a_code_and_details_all_of_plain_strings(error):
    status, response = error

    body = response.json()
    details = body.pop("details", {})

    assert response.status_code == status
    assert list(body) == ["error", "code"]
    words = [body["error"], body["code"], *details, *details.values()]
    assert all(isinstance(word, str) for word in words)


@pytest.mark.parametrize("path", ["/v1/nothing", "/api/v1/nothing", "/v1/customers/", "/nothing"])
def test_an_unknown_path_is_an_error_like_any_other(api, path):
    response = api.get(path)

    assert (response.status_code, response.json()) == (
        404,
        {"error": "not found", "code": "route_not_found"},
    )


def test_the_reference_is_served(backend):
    page = httpx.get(f"{backend.url}/docs")

    assert page.status_code == 200
    assert "/openapi.json" in page.text
