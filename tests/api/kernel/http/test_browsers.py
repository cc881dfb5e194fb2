"""Browsers: pages of other origins may call the API, and no answer does more than it says."""

import asyncio
import base64
import hashlib
import re

import httpx
import pytest

from monigo.api.kernel.http.browsers import Browsers
from monigo.api.kernel.http.errors import plain_error
from monigo.infra.settings import Settings
from support.api import Api, event

SHOP = {"Origin": "https://shop.example"}
PREFLIGHT = {
    **SHOP,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
}
API_PATHS = [
    "/v1/customers",
    "/api/v1/customers",
    "/v1/customers/a%2Fb/wallets",
    "/v1/ingest",
    "/v1/wallets/0197b3c0-0000-7000-8000-000000000000/credit",
    "/v1/events/export",
    "/api/v1/portal/invoices",
    "/v1/test-clock",
]


def allowed(response):
    return {name for name in response.headers if name.startswith("access-control")}


@pytest.mark.parametrize("path", API_PATHS)
def test_a_browser_may_ask_before_it_calls_a_route(backend, path):
    answer = httpx.options(f"{backend.url}{path}", headers=PREFLIGHT)

    headers = answer.headers
    asked = {"authorization", "content-type", "idempotency-key", "x-portal-token"}
    assert (answer.status_code, answer.content) == (204, b"")
    assert headers["access-control-allow-origin"] == "*"
    assert asked <= set(headers["access-control-allow-headers"].lower().split(", "))
    assert headers["access-control-allow-methods"] == "GET, POST, PUT, PATCH, DELETE"
    assert "access-control-allow-credentials" not in headers


def test_every_answer_may_be_read_with_the_headers_that_matter(api):
    api.customer("c1")
    wallet = api.wallet("c1")

    answers = [
        api.get("/v1/customers"),
        api.post("/v1/ingest", json={"events": [event("1")]}),
        api.move(wallet, "credit", "5", "deposit"),
        api.get("/v1/events/export"),
        api.get("/openapi.json"),
    ]

    exposed = [one.headers["access-control-expose-headers"].lower() for one in answers]
    assert [one.is_success for one in answers] == [True] * 5
    assert {one.headers["access-control-allow-origin"] for one in answers} == {"*"}
    assert all("idempotent-replayed, retry-after, x-request-id" in one for one in exposed)


def failing(api, backend):
    """A request for each status that a client meets, also of the hot routes."""
    wallet = f"/v1/wallets/{api.wallet('c1')['id']}"
    large = b" " * (5 * 1024 * 1024 + 1)
    return {
        "400": api.post("/v1/customers", content=b"{"),
        "401": httpx.get(f"{backend.url}/v1/customers"),
        "401 ingest": httpx.post(f"{backend.url}/v1/ingest"),
        "401 movement": httpx.post(f"{backend.url}{wallet}/credit"),
        "402": api.post(
            f"{wallet}/debit",
            json={
                "amount": "1",
                "currency": "NGN",
                "entry_type": "usage",
                "idempotency_key": "k",
            },
        ),
        "404": api.get("/v1/plans/plan_missing"),
        "404 route": api.get("/v1/nothing"),
        "405": api.patch("/v1/customers"),
        "405 ingest": api.get("/v1/ingest"),
        "413": api.post("/v1/customers", content=large),
        "413 ingest": api.post("/v1/ingest", content=large),
    }


def test_errors_may_be_read_too(api, backend):
    api.customer("c1")

    answers = failing(api, backend)

    for name, answer in answers.items():
        body = answer.json()
        assert str(answer.status_code) == name[:3], name
        assert answer.headers["access-control-allow-origin"] == "*", name
        assert answer.headers["x-content-type-options"] == "nosniff", name
        assert answer.headers["cache-control"] == "no-store", name
        assert isinstance(body["error"], str), name
        assert re.fullmatch(r"[a-z_0-9]+", body["code"]), name


def test_a_fault_of_our_own_may_be_read(api, monkeypatch):
    async def fails(*_):
        raise AssertionError

    monkeypatch.setattr("monigo.customers.get", fails)

    failed = api.get("/v1/customers/c1")

    assert (failed.status_code, failed.json()["code"]) == (500, "internal_error")
    assert failed.headers["access-control-allow-origin"] == "*"
    assert failed.headers["cache-control"] == "no-store"


def through(origins, headers, path="/v1/customers"):
    """The headers of an answer that passed `Browsers` under a setting of origins."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    app = Browsers(plain_error(404, "route_not_found", "not found"), origins)
    asyncio.run(app(scope, None, send))
    return dict(sent[0]["headers"])


def test_only_the_origins_that_are_set_may_call():
    origins = ["https://shop.example", "https://app.example"]

    shop = through(origins, SHOP)
    other = through(origins, {"Origin": "https://evil.example"})
    none = through(origins, {})

    assert shop[b"access-control-allow-origin"] == b"https://shop.example"
    assert b"access-control-allow-origin" not in other | none
    assert shop[b"vary"] == other[b"vary"] == none[b"vary"] == b"Origin"


@pytest.mark.parametrize("name", ["MONIGO_CORS_ORIGINS", "MONIGO_PORTAL_ORIGINS"])
def test_the_origins_are_a_setting(monkeypatch, name):
    monkeypatch.setenv(name, '["https://shop.example"]')

    assert Settings().cors_origins == ["https://shop.example"]


def test_every_origin_may_call_unless_it_is_set(monkeypatch):
    monkeypatch.delenv("MONIGO_CORS_ORIGINS", raising=False)
    monkeypatch.delenv("MONIGO_PORTAL_ORIGINS", raising=False)

    assert Settings().cors_origins == ["*"]


@pytest.mark.parametrize("path", ["/healthz", "/docs", "/docs/assets/swagger-ui.css"])
def test_what_is_no_api_is_not_for_other_origins(backend, path):
    answer = httpx.get(f"{backend.url}{path}", headers=SHOP)

    assert answer.status_code == 200
    assert allowed(answer) == set()
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_json_and_csv_are_never_stored(api):
    answers = [api.get("/v1/customers"), api.get("/v1/events/export"), api.get("/healthz")]

    assert [one.headers["cache-control"] for one in answers] == ["no-store"] * 3


def test_the_reference_may_run_its_own_scripts_only(backend):
    page = httpx.get(f"{backend.url}/docs")

    policy = page.headers["content-security-policy"]
    (script,) = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    scripts = re.search(r"script-src ([^;]+)", policy)[1].split()
    assert scripts == ["'self'", f"'sha256-{digest}'"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert [one for one in sources if not one.startswith("/docs/assets/")] == []
    assert all(httpx.get(f"{backend.url}{one}").status_code == 200 for one in sources)
    assert "onload=" not in page.text


@pytest.mark.parametrize(
    "path", ["/docs/nothing", "/docs/assets/nothing", "/docs/assets/..%2f..%2f"]
)
def test_a_page_that_is_none_is_an_error_like_any_other(backend, path):
    answer = httpx.get(f"{backend.url}{path}")

    assert (answer.status_code, answer.json()["code"]) == (404, "route_not_found")


def test_a_key_of_another_tenant_is_asked_for_nothing_before_a_preflight(backend):
    with Api.of_new_organization(backend) as api:
        answer = api.http.options("/v1/customers/nobody", headers=PREFLIGHT)

    assert answer.status_code == 204
