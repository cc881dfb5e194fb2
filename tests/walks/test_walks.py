"""The newcomer's walks: docs/walks.md tells which room calls which, and the code does just that."""

import asyncio
import re
import tomllib
from pathlib import Path

import httpx
import pytest

from monigo import invoicing
from monigo.api import create_app
from monigo.infra.agenda.work import work_some
from monigo.worker.run import fold_usage
from support.api import event
from support.payouts import Fleet
from walks.tracer import traced

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "walks.md"
# More than a newcomer keeps in mind; the last two are the books.
STEPS_MAX = 14


@pytest.fixture
def walk(api):
    """Runs requests and due work in the server's own thread, and notes the steps."""
    app = create_app(api.backend.services)
    database = api.backend.services.database

    def run(*parts):
        async def story():
            transport = httpx.ASGITransport(app=app)
            headers = {"Authorization": f"Bearer {api.secret}"}
            async with httpx.AsyncClient(
                transport=transport, base_url="http://monigo", headers=headers
            ) as http:
                for part in parts:
                    await part(http, database)

        return api.backend.run(traced(story()))

    return run


def price(metric):
    return {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "2.000000"}


def fold(api):
    async def run(_http, _database):
        await fold_usage(api.backend.services)

    return run


def close(api):
    async def run(_http, database):
        api.backend.clock.advance(days=40)
        await work_some(database, invoicing.CLOSE, api.tenant, asyncio.Event())

    return run


def sending(method, path, body):
    async def run(http, _database):
        answer = await http.request(method, path, json=body)
        assert answer.is_success, answer.text

    return run


def event_to_invoice(api):
    """An event is ingested and folded, and its period is closed."""
    customer, metric = api.customer(), api.metric()
    plan = api.plan(price(metric))
    api.subscribe(customer["id"], plan["id"])
    used = event("one")
    return sending("POST", "/v1/ingest", {"events": [used]}), fold(api), close(api)


def credit(api):
    """Money comes into a wallet."""
    api.customer()
    body = {"amount": "100", "currency": "NGN", "entry_type": "deposit", "idempotency_key": "one"}
    return (sending("POST", f"/v1/wallets/{api.wallet()['id']}/credit", body),)


def price_edit(api):
    """A merchant changes what a plan costs."""
    plan = api.plan(price(api.metric()))
    edited = {**plan["prices"][0], "unit_price": "3.000000"}
    body = {"prices": [{name: edited[name] for name in ("id", "metric_id", "model", "unit_price")}]}
    return (sending("PUT", f"/v1/plans/{plan['id']}", body),)


def prepaid_close(api):
    """A period of a prepaid plan is closed, and paid by the customer's wallet."""
    customer, metric = api.customer(), api.metric()
    plan = api.plan(price(metric), billing_mode="prepaid")
    api.wallet(funds="1000")
    api.subscribe(customer["id"], plan["id"])
    api.ingest(event("one"))
    return (close(api),)


def payout(api):
    """Somebody initiates the payout of a final bill, which its provider takes."""
    fleet = Fleet(api)
    # A webhook would come at any moment, and is another story.
    fleet.script("webhook", "lost", times=10)
    bill = fleet.owe(fleet.driver())
    return (sending("POST", f"/v1/bills/{bill['id']}/initiate-payout", None),)


STORIES = (event_to_invoice, credit, price_edit, prepaid_close, payout)


def told(story):
    """The steps that the page tells of a story."""
    name = story.__name__.replace("_", " ")
    (section,) = re.findall(rf"(?ms)^## {name}$\n(.*?)(?=^## |\Z)", PAGE.read_text())
    return re.findall(r"(?m)^\| (\w+) → (\w+) \| `([^|]*)` \|", section)


def ranks():
    """How high each domain stands, by the layers that import-linter enforces."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    places = {
        name.strip().removeprefix("monigo."): -place
        for place, layer in enumerate(layers)
        for name in layer.split("|")
    }
    return {**places, "agenda": 1}


@pytest.mark.parametrize("story", STORIES)
def test_the_page_tells_what_the_code_does(api, walk, story):
    taken = walk(*story(api))

    assert taken == told(story)


@pytest.mark.parametrize("story", STORIES)
def test_a_walk_is_short_and_never_leads_back_up(story):
    heights, steps = ranks(), told(story)

    assert 0 < len(steps) <= STEPS_MAX
    assert [step for step in steps if heights[step[0]] <= heights[step[1]]] == []
