"""Paths: routes match as they were sent, so that any text can be an external id."""

import http.client
import json
import re
from urllib.parse import quote
from uuid import uuid4

import pytest

from support.operations import OF_KEYS, OF_PEOPLE
from support.people import Person

EXTERNAL_IDS = [
    "gid://app/Customer/1",
    "a/wallets",
    "x%2Fy",
    "..",
    ".",
    "%",
    "a?b=c#d",
    "a;b=c",
    "a+b c",
    "a:b@c",
    "\\",
    "ä🦄",
    "//",
    "/",
    "credit",
]
FACES = ["/v1", "/api/v1"]
# What no id can be, and no external id of a customer that exists.
NO_IDS = [
    "plan_missing",
    "0",
    "null",
    "%00",
    "%FF",
    "%ED%A0%80",
    "a%2Fb",
    "%2E%2E",
    "%7B%7D",
    "x" * 300,
]


def encoded(text):
    """Each byte that is no letter or digit as a percent sign and two digits."""
    return "".join(f"%{byte:02X}" for byte in text.encode())


@pytest.mark.parametrize("external_id", EXTERNAL_IDS)
@pytest.mark.parametrize("face", FACES)
def test_an_external_id_is_found_on_every_route_that_takes_one(api, face, external_id):
    customer, other = api.customer(external_id), api.customer("a")
    wallet = api.wallet(customer["id"])
    api.wallet(other["id"], "KES")

    path = f"{face}/customers/{quote(external_id, safe='')}"
    if external_id in {".", ".."}:
        path = f"{face}/customers/{encoded(external_id)}"
    read = api.get(path)
    wallets = api.get(f"{path}/wallets")
    changed = api.put(path, json={"name": "Ada"})
    deleted = api.delete(path)

    assert read.json()["customer"] == customer
    assert [one["id"] for one in wallets.json()["wallets"]] == [wallet["id"]]
    assert changed.json()["customer"]["id"] == customer["id"]
    assert deleted.status_code == 200
    assert [one["id"] for one in api.get("/v1/customers").json()["customers"]] == [other["id"]]


def test_an_external_id_that_looks_like_an_id_is_found(api):
    external_id = str(uuid4())
    customer = api.customer(external_id)
    wallet = api.wallet(external_id)

    found = [
        api.get(f"/v1/customers/{path}").json()["customer"]
        for path in (external_id, encoded(external_id))
    ]
    wallets = api.get(f"/v1/customers/{encoded(external_id)}/wallets").json()["wallets"]

    assert found == [customer, customer]
    assert [one["id"] for one in wallets] == [wallet["id"]]


def test_nothing_is_decoded_twice(api):
    twice, once = api.customer("x%2Fy"), api.customer("x/y")

    found = [
        api.get(f"/v1/customers/{path}").json()["customer"]["id"]
        for path in ("x%252Fy", "x%2Fy", "x%2fy")
    ]

    assert found == [twice["id"], once["id"], once["id"]]


def test_a_path_is_the_same_however_it_is_encoded(api):
    customer = api.customer("c-1")
    wallet = api.wallet("c-1", funds="5")
    body = {"amount": "1", "currency": "NGN", "entry_type": "usage", "idempotency_key": "k"}

    read = api.get("/v1/%63ustomers/%63%2D1")
    moved = api.post(f"/v1/wallets/{encoded(wallet['id'])}/%64ebit", json=body)
    ingested = api.post("/v1/%69ngest", json={"events": []})

    assert read.json()["customer"] == customer
    assert moved.json()["wallet"]["balance"] == "4.000000"
    assert list(ingested.json()["details"]) == ["events"]


def test_an_idempotency_key_is_of_a_path_in_one_spelling(api):
    api.customer("a/b")
    key = {"Idempotency-Key": "once"}

    first = api.put("/v1/customers/a%2Fb", json={"name": "Ada"}, headers=key)
    again = api.put("/v1/customers/%61%2fb", json={"name": "Ada"}, headers=key)
    other = api.put("/v1/customers/a%252Fb", json={"name": "Ada"}, headers=key)

    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first.json()
    assert (other.status_code, "idempotent-replayed" in other.headers) == (404, False)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/customers/%zz",
        "/v1/customers/%",
        "/v1/customers/%4",
        "/v1/%FF",
        "/%C3%28",
        "/v1/%ED%A0%80",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_what_is_no_path_is_not_found(api, method, path):
    # Other clients would mend it.
    connection = http.client.HTTPConnection(api.http.base_url.host, api.http.base_url.port)
    connection.request(method, path, headers={"Authorization": f"Bearer {api.secret}"})
    answer = connection.getresponse()

    assert (answer.status, json.load(answer)["code"]) == (404, "route_not_found")
    assert answer.headers["x-content-type-options"] == "nosniff"


# Where what lacks something is refused before anybody is looked up.
NEEDED = {"payout-accounts": {"account_name": "Ada Obi", "currency": "NGN"}}


def asked(client, method, path):
    """How a path is answered, whatever stands in it."""
    body = NEEDED.get(path.rpartition("/")[2], {})
    return client.request(method, path, json=body).status_code


@pytest.mark.parametrize("text", NO_IDS)
def test_a_path_that_holds_no_id_is_unknown_on_every_route(api, text):
    routes = [(method, path) for method, path in OF_KEYS if "{" in path]

    statuses = {
        (method, path): asked(api.http, method, re.sub(r"\{[^}]+\}", text, path))
        for method, path in routes
    }

    assert len(routes) > 60
    assert {route: status for route, status in statuses.items() if status != 404} == {}


@pytest.mark.parametrize("text", NO_IDS)
def test_a_path_that_holds_no_id_is_unknown_on_every_route_of_people(owner, text):
    routes = [(method, path) for method, path in OF_PEOPLE if "{" in path]
    person, org_id = owner

    statuses = {
        (method, path): asked(person.http, method, without_id(path, text, org_id))
        for method, path in routes
    }

    assert len(routes) > 10
    assert {route: status for route, status in statuses.items() if status != 404} == {}


@pytest.fixture(scope="module")
def owner(backend):
    """Somebody, and the organisation that they own."""
    with Person.signed_in(backend) as person:
        yield person, person.found()["organization"]["id"]


def without_id(path, text, org_id):
    """A path with a text for its last id; before it stands the person's own organisation."""
    own = path.removeprefix("/api/v1")
    outer = own.replace("{org_id}", org_id) if own.count("{") > 1 else own
    return re.sub(r"\{[^}]+\}", text, outer)
