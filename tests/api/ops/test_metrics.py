"""/metrics: who may read them, what they count, and that they name no tenant."""

import asyncio
import re
from functools import cache

import httpx
import pytest
from msgspec.structs import replace
from pydantic import SecretStr

from monigo.api import create_app
from monigo.api.ops import metrics as route
from support.api import event

TOKEN = "a-token-of-sixteen-or-more"
LOCAL = ("127.0.0.1", 50_000)


@pytest.fixture(scope="module")
def app_of(backend):
    """Makes applications by their token, each once: a first request takes half a second."""

    @cache
    def make(token):
        settings = backend.services.settings.model_copy(
            update={"metrics_token": None if token is None else SecretStr(token)}
        )
        return create_app(replace(backend.services, settings=settings))

    return make


@pytest.fixture
def read(backend, app_of, monkeypatch):
    """Asks an application for its metrics as they are now, from an address, with headers."""
    monkeypatch.setattr(route, "READ_EVERY_SECONDS", 0)

    def ask(*, token=None, client=LOCAL, headers=None):
        app = app_of(token)

        async def get():
            transport = httpx.ASGITransport(app=app, client=client)
            async with httpx.AsyncClient(transport=transport, base_url="http://monigo") as http:
                return await http.get("/metrics", headers=headers or {})

        return backend.run(get())

    return ask


def figure(text, name, **labels):
    """The value of a sample; 0 where there is none yet."""
    for line in text.splitlines():
        found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
        if found and found[1] == name:
            told = dict(re.findall(r'(\w+)="([^"]*)"', found[2] or ""))
            if labels.items() <= told.items():
                return float(found[3])
    return 0


@pytest.mark.parametrize("client", [LOCAL, ("::1", 1), ("::ffff:127.0.0.1", 1)])
def test_without_a_token_this_machine_reads_them(read, client):
    answer = read(client=client)

    assert (answer.status_code, answer.headers["content-type"]) == (
        200,
        "text/plain; version=0.0.4; charset=utf-8",
    )


@pytest.mark.parametrize("client", [("192.0.2.1", 1), ("2001:db8::1", 1), ("monigo", 1)])
def test_without_a_token_no_other_machine_does(read, client):
    answer = read(client=client)

    assert (answer.status_code, answer.json()["code"]) == (403, "metrics_token_unset")


@pytest.mark.parametrize("header", route.FORWARDED)
def test_without_a_token_nobody_does_through_a_proxy(read, header):
    assert read(headers={header: "127.0.0.1"}).status_code == 403


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"Bearer {TOKEN}x", 401),
        (f"Basic {TOKEN}", 401),
        (f"bearer {TOKEN}", 401),
        ("", 401),
    ],
)
@pytest.mark.parametrize("client", [LOCAL, ("192.0.2.1", 1)])
def test_with_a_token_whoever_has_it_reads_them(read, client, authorization, status):
    headers = {"Authorization": authorization, "X-Forwarded-For": "198.51.100.7"}

    assert read(token=TOKEN, client=client, headers=headers).status_code == status


def test_events_are_counted_and_repeats_beside_them(api, read):
    api.customer()
    before = read().text

    api.ingest(event("one"), event("two"))
    api.ingest(event("two"), event("three"))

    after = read().text
    ingested, repeated = (
        figure(after, name) - figure(before, name)
        for name in ("monigo_events_ingested_total", "monigo_events_repeated_total")
    )
    assert (ingested, repeated) == (3, 1)


@pytest.mark.parametrize(
    ("path", "pattern", "status"),
    [
        ("/v1/customers", "/v1/customers", 200),
        ("/v1/customers/nobody", "/v1/customers/{customer_id}", 404),
        ("/nowhere/customer-4711", "none", 404),
    ],
)
def test_requests_are_counted_by_the_pattern_of_their_route(api, read, path, pattern, status):
    labels = {"method": "GET", "route": pattern, "status": str(status)}
    before = read().text

    api.get(path)

    after = read().text
    name = "monigo_http_requests_total"
    assert figure(after, name, **labels) - figure(before, name, **labels) == 1
    assert "customer-4711" not in after


def test_raw_routes_are_counted_like_all_others(api, read):
    api.customer()
    labels = {"method": "POST", "route": "/v1/ingest", "status": "202"}
    before = read().text

    api.ingest(event("one"))

    after = read().text
    name = "monigo_http_requests_total"
    assert figure(after, name, **labels) - figure(before, name, **labels) == 1


def test_what_waits_is_told_by_kinds_of_ours_and_by_no_tenant(api, read):
    api.subscribed_customer()
    api.ingest(event("one"))

    text = read().text

    assert figure(text, "monigo_database_up") == 1
    assert figure(text, "monigo_fold_lag_seconds") > 0
    assert figure(text, "monigo_outbox_waiting", subscriber="audit log") > 0
    assert figure(text, "monigo_pool_connections", state="max") > 0
    assert str(api.org_id) not in text


def test_work_that_is_due_or_was_set_aside_is_counted_by_kind(api, backend, read):
    api.subscribed_customer()
    put = (
        "UPDATE agenda SET runs_at = '2000-01-01', attempts = $2, reason = $3"
        " WHERE org_id = $1 AND kind = 'period_close'"
    )
    before = read().text
    backend.sql(put, api.org_id, 1, "it failed")

    after = read().text

    for name in ("monigo_agenda_due", "monigo_agenda_set_aside"):
        counts = [figure(text, name, kind="period_close") for text in (before, after)]
        assert counts[1] - counts[0] == 1
    assert figure(after, "monigo_agenda_lag_seconds", kind="period_close") >= 60


def test_a_database_that_is_away_is_told_and_the_process_figures_beside_it(read, monkeypatch):
    async def fail(_services):
        raise ConnectionError("away")

    monkeypatch.setattr(route, "_read_folding", fail)

    answer = read()

    assert answer.status_code == 200
    assert figure(answer.text, "monigo_database_up") == 0
    assert figure(answer.text, "monigo_pool_connections", state="max") > 0


def test_many_who_look_at_once_ask_the_database_once(backend, monkeypatch):
    asked = []

    async def count(_services):
        asked.append(1)
        await asyncio.sleep(0)

    for name in ("_read_folding", "_read_agenda", "_read_queue", "_read_outbox"):
        monkeypatch.setattr(route, name, count)
    app = create_app(backend.services)

    async def look():
        transport = httpx.ASGITransport(app=app, client=LOCAL)
        async with httpx.AsyncClient(transport=transport, base_url="http://monigo") as http:
            return await asyncio.gather(*(http.get("/metrics") for _ in range(20)))

    answers = backend.run(look())

    assert {answer.status_code for answer in answers} == {200}
    assert len(asked) == 4
