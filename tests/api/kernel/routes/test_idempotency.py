"""Idempotency-Key: a repeated request is answered as the first one was, and done once."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest

from monigo import customers, tenancy
from monigo.core.errors import conflict
from monigo.tenancy import Scope
from support.api import Api, event
from support.locks import hanging

KEY = {"Idempotency-Key": "order-1"}
REPLAYED = "idempotent-replayed"
UNKNOWN = "0f6b2a4e-8c1d-4e5f-9a7b-3c2d1e0f9a8b"
METRIC = {"name": "Calls", "event_name": "call"}


def total(api, collection):
    return api.get(f"/v1/{collection}").json()["total"]


def test_a_repeat_is_answered_as_the_first_was_and_done_once(api):
    first = api.post("/v1/metrics", json=METRIC, headers=KEY)
    second = api.post("/v1/metrics", json=METRIC, headers=KEY)

    assert (first.status_code, second.status_code) == (201, 201)
    assert (first.content, first.headers["content-type"]) == (
        second.content,
        second.headers["content-type"],
    )
    assert (first.headers.get(REPLAYED), second.headers.get(REPLAYED)) == (None, "true")
    assert total(api, "metrics") == 1


def test_without_a_key_every_request_is_done(api):
    ids = {api.metric()["id"], api.metric()["id"]}

    assert len(ids) == 2


def test_another_key_is_another_request(api):
    api.post("/v1/metrics", json=METRIC, headers=KEY)
    api.post("/v1/metrics", json=METRIC, headers={"Idempotency-Key": "order-2"})

    assert total(api, "metrics") == 2


def test_another_body_under_the_key_is_a_mismatch(api):
    first = api.post("/v1/metrics", json=METRIC, headers=KEY)

    other = api.post("/v1/metrics", json={**METRIC, "name": "Other"}, headers=KEY)
    again = api.post("/v1/metrics", json=METRIC, headers=KEY)

    assert other.status_code == 422
    assert "Idempotency-Key" in other.json()["error"]
    assert again.json() == first.json()
    assert total(api, "metrics") == 1


def test_the_first_answer_stays_though_the_object_has_changed_since(api):
    created = api.post("/v1/metrics", json=METRIC, headers=KEY).json()
    api.put(f"/v1/metrics/{created['metric']['id']}", json={"name": "Renamed"})

    again = api.post("/v1/metrics", json=METRIC, headers=KEY)

    assert again.json() == created


def test_a_put_and_a_patch_are_done_once_too(api):
    *_, subscription = api.subscribed_customer()
    metric = api.metric()
    path = f"/v1/subscriptions/{subscription['id']}"
    api.put(f"/v1/metrics/{metric['id']}", json={"name": "A"}, headers=KEY)
    api.put(f"/v1/metrics/{metric['id']}", json={"name": "B"})
    api.patch(path, json={"status": "paused"}, headers=KEY)
    api.patch(path, json={"status": "active"})

    put = api.put(f"/v1/metrics/{metric['id']}", json={"name": "A"}, headers=KEY)
    patch = api.patch(path, json={"status": "paused"}, headers=KEY)

    assert (put.headers[REPLAYED], patch.headers[REPLAYED]) == ("true", "true")
    assert put.json()["metric"]["name"] == "A"
    assert api.get(f"/v1/metrics/{metric['id']}").json()["metric"]["name"] == "B"
    assert api.get(path).json()["subscription"]["status"] == "active"


def test_a_post_without_a_body_is_done_once_too(api):
    *_, subscription = api.subscribed_customer()
    api.ingest(event("1"))
    path = f"/v1/invoices/{api.draft(subscription['id'])['id']}/finalize"

    first = api.post(path, headers=KEY)
    second = api.post(path, headers=KEY)
    third = api.post(path)

    assert (first.status_code, second.status_code, third.status_code) == (200, 200, 409)
    assert second.json() == first.json()


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_reading_and_deleting_take_no_notice_of_the_key(api, method):
    path = f"/v1/metrics/{api.metric()['id']}"

    first = api.http.request(method, path, headers=KEY)
    second = api.http.request(method, path, headers=KEY)

    assert first.status_code == 200
    assert REPLAYED not in second.headers


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_of_no_or_too_many_characters_is_refused(api, key):
    response = api.post("/v1/metrics", json=METRIC, headers={"Idempotency-Key": key})

    assert response.status_code == 400
    assert list(response.json()["details"]) == ["Idempotency-Key"]
    assert total(api, "metrics") == 0


def test_any_character_may_stand_in_a_key(api):
    headers = {"Idempotency-Key": "naïve ✓ clé".encode()}

    api.post("/v1/metrics", json=METRIC, headers=headers)
    again = api.post("/v1/metrics", json=METRIC, headers=headers)

    assert again.headers[REPLAYED] == "true"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/metrics", {"name": "no event"}, 400),
        ("/v1/plans", {"name": "P", "prices": [{"metric_id": "x", "model": "flat"}]}, 400),
        ("/v1/subscriptions", {"customer_id": "later", "plan_id": "x"}, 404),
        ("/v1/customers", {"external_id": "c1", "name": "Another"}, 409),
        ("/v1/customers", "no object", 400),
    ],
)
def test_a_refusal_is_kept(api, path, body, status):
    first_customer = api.customer("c1")

    first = api.post(path, json=body, headers=KEY)
    api.delete(f"/v1/customers/{first_customer['id']}")
    api.customer("later")
    second = api.post(path, json=body, headers=KEY)

    assert (first.status_code, second.status_code) == (status, status)
    assert (second.json(), second.headers[REPLAYED]) == (first.json(), "true")


def test_what_is_no_json_is_kept_as_refused(api):
    first = api.post("/v1/metrics", content=b"{", headers=KEY)
    second = api.post("/v1/metrics", content=b"{", headers=KEY)

    assert (first.status_code, second.status_code) == (400, 400)
    assert second.headers[REPLAYED] == "true"


def test_a_mismatch_does_not_replace_the_first_answer(api):
    api.post("/v1/metrics", json={}, headers=KEY)
    api.post("/v1/metrics", json=METRIC, headers=KEY)

    again = api.post("/v1/metrics", json={}, headers=KEY)

    assert (again.status_code, again.headers[REPLAYED]) == (400, "true")


def test_a_forbidden_request_is_not_kept(api, backend):
    with Api.of(backend, api.org_id, is_test=True, scopes=[Scope.READ]) as reader:
        forbidden = reader.post("/v1/metrics", json=METRIC, headers=KEY)

    allowed = api.post("/v1/metrics", json=METRIC, headers=KEY)

    assert (forbidden.status_code, allowed.status_code) == (403, 201)
    assert REPLAYED not in allowed.headers


def test_a_request_without_a_valid_key_is_not_kept(api, backend):
    url = f"{backend.url}/v1/metrics"
    unknown = httpx.post(
        url, json=METRIC, headers={**KEY, "Authorization": f"Bearer mk_test_{'0' * 64}"}
    )

    allowed = api.post("/v1/metrics", json=METRIC, headers=KEY)

    assert (unknown.status_code, allowed.status_code) == (401, 201)


def test_a_kept_answer_is_not_shown_to_a_key_without_the_right(api, backend):
    api.post("/v1/metrics", json=METRIC, headers=KEY)

    with Api.of(backend, api.org_id, is_test=True, scopes=[Scope.READ]) as reader:
        answer = reader.post("/v1/metrics", json=METRIC, headers=KEY)

    assert answer.status_code == 403


def test_a_revoked_key_gets_no_kept_answer(api, backend):
    issued = backend.run(
        tenancy.issue_key(backend.services.database, api.org_id, name="k", is_test_mode=True)
    )
    with Api(backend, api.org_id, issued.secret, is_test=True) as revoked:
        revoked.post("/v1/metrics", json=METRIC, headers=KEY)
        backend.run(
            tenancy.revoke_key(
                backend.services.database, org_id=api.org_id, api_key_id=issued.key.id
            )
        )
        answer = revoked.post("/v1/metrics", json=METRIC, headers=KEY)

    assert answer.status_code == 401


def test_a_body_that_is_too_large_is_not_kept(api):
    refused = api.post("/v1/metrics", content=b" " * (1024 * 1024 + 1), headers=KEY)

    allowed = api.post("/v1/metrics", json=METRIC, headers=KEY)

    assert (refused.status_code, allowed.status_code) == (413, 201)


def test_keys_of_one_organization_share_their_requests(api, backend):
    first = api.post("/v1/metrics", json=METRIC, headers=KEY)

    with Api.of(backend, api.org_id, is_test=True) as colleague:
        second = colleague.post("/v1/metrics", json=METRIC, headers=KEY)

    assert (second.json(), second.headers[REPLAYED]) == (first.json(), "true")


def test_another_mode_is_another_request(api, backend):
    api.post("/v1/metrics", json=METRIC, headers=KEY)

    with Api.of(backend, api.org_id, is_test=False) as live:
        answer = live.post("/v1/metrics", json={**METRIC, "name": "Live"}, headers=KEY)

    assert (answer.status_code, REPLAYED in answer.headers) == (201, False)


def test_another_organization_is_another_request(api, backend):
    api.post("/v1/metrics", json=METRIC, headers=KEY)

    with Api.of_new_organization(backend) as other:
        answer = other.post("/v1/metrics", json={**METRIC, "name": "Theirs"}, headers=KEY)

    assert (answer.status_code, REPLAYED in answer.headers) == (201, False)


def test_another_path_is_another_request(api):
    api.post("/v1/metrics", json=METRIC, headers=KEY)

    other_resource = api.post("/v1/customers", json={}, headers=KEY)
    other_face = api.post("/api/v1/metrics", json=METRIC, headers=KEY)

    assert (other_resource.status_code, other_face.status_code) == (201, 201)
    assert total(api, "metrics") == 2


def test_a_key_is_forgotten_after_24_hours(api):
    first = api.post("/v1/metrics", json=METRIC, headers=KEY)
    api.backend.clock.advance(hours=23, minutes=59)
    kept = api.post("/v1/metrics", json=METRIC, headers=KEY)
    api.backend.clock.advance(minutes=2)

    forgotten = api.post("/v1/metrics", json={**METRIC, "name": "Anew"}, headers=KEY)
    again = api.post("/v1/metrics", json={**METRIC, "name": "Anew"}, headers=KEY)

    assert kept.json() == first.json()
    assert (forgotten.status_code, REPLAYED in forgotten.headers) == (201, False)
    assert again.json() == forgotten.json()


LOCKED_CUSTOMER = "SELECT 1 FROM customers WHERE id = $1 FOR UPDATE"
LOCKED_METRIC = "SELECT 1 FROM metrics WHERE id = $1 FOR UPDATE"


def test_a_repeat_while_the_first_is_running_is_a_conflict(api, backend):
    metric = api.metric()
    path = f"/v1/metrics/{metric['id']}"
    rename = partial(api.put, path, json={"name": "Renamed"}, headers=KEY)

    with hanging(backend, rename, LOCKED_METRIC, metric["id"]) as answers:
        meanwhile = rename()
        other_body = api.put(path, json={"name": "Other"}, headers=KEY)
        seen = api.get(path).json()["metric"]["name"]
    afterwards = rename()

    assert (meanwhile.status_code, meanwhile.headers["retry-after"]) == (409, "1")
    assert other_body.status_code == 409
    assert seen == metric["name"]
    assert (answers[0].status_code, answers[0].json()["metric"]["name"]) == (200, "Renamed")
    assert (afterwards.json(), afterwards.headers[REPLAYED]) == (answers[0].json(), "true")


def test_a_running_request_stands_in_no_other_ones_way(api, backend):
    metric = api.metric()
    path = f"/v1/metrics/{metric['id']}"
    rename = partial(api.put, path, json={"name": "Renamed"}, headers=KEY)

    with hanging(backend, rename, LOCKED_METRIC, metric["id"]):
        other_path = api.post("/v1/metrics", json=METRIC, headers=KEY)
        other_key = api.post("/v1/metrics", json=METRIC, headers={"Idempotency-Key": "other"})

    assert (other_path.status_code, other_key.status_code) == (201, 201)


@pytest.mark.parametrize("whose", ["another organisation", "the other mode"])
def test_a_running_request_stands_in_no_other_tenants_way(api, backend, whose):
    """The same key and path, and a request that hangs."""
    org_id = Api.of_new_organization(backend).org_id if whose[0] == "a" else api.org_id
    is_test = whose[0] == "a"
    with Api.of(backend, org_id, is_test=is_test) as other:
        own, others = (
            partial(client.post, "/v1/price-overrides", json=overriding(client), headers=KEY)
            for client in (api, other)
        )
        customer = api.get("/v1/customers").json()["customers"][0]

        with hanging(backend, own, LOCKED_CUSTOMER, customer["id"]) as answers:
            meanwhile = others()

    assert (meanwhile.status_code, answers[0].status_code) == (201, 201)


def overriding(api):
    """The body of a price override for a new customer."""
    metric = api.metric()
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "2"}
    return {
        "customer_id": api.customer()["id"],
        "price_id": api.plan(price)["prices"][0]["id"],
        "model": "flat_unit",
        "unit_price": "1",
    }


def test_of_many_at_once_one_is_done(api, backend):
    customer = {"name": "Ada", "metadata": {"n": 1}}

    def create(_number):
        with Api(backend, api.org_id, api.secret, is_test=True) as client:
            return client.post("/v1/customers", json=customer, headers=KEY)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(create, range(16)))

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["customer"]["id"] for answer in answers if answer.is_success}) == 1
    assert total(api, "customers") == 1


@pytest.mark.parametrize(
    ("path", "body", "status", "collection"),
    [
        ("/v1/customers", {"external_id": "c1", "name": "Another"}, 409, "customers"),
        (
            "/v1/plans",
            {"name": "P", "prices": [{"metric_id": UNKNOWN, "model": "flat", "unit_price": "1"}]},
            404,
            "plans",
        ),
    ],
)
def test_a_refused_creation_leaves_nothing_but_its_answer(api, path, body, status, collection):
    api.customer("c1")
    before = api.get(f"/v1/{collection}").json()

    refused = api.post(path, json=body, headers=KEY)
    kept = api.post(path, json=body, headers=KEY)

    assert (refused.status_code, kept.status_code) == (status, status)
    assert kept.headers[REPLAYED] == "true"
    assert api.get(f"/v1/{collection}").json() == before


def test_a_refusal_after_writes_undoes_them_and_is_kept(api, monkeypatch):
    create = customers.create

    async def refuse_late(tx, details):
        await create(tx, details)
        raise conflict("customer_exists", "refused after it was written")

    monkeypatch.setattr(customers, "create", refuse_late)
    refused = api.post("/v1/customers", json={"external_id": "late"}, headers=KEY)
    monkeypatch.undo()
    kept = api.post("/v1/customers", json={"external_id": "late"}, headers=KEY)

    assert (refused.status_code, kept.status_code) == (409, 409)
    assert (kept.json(), kept.headers[REPLAYED]) == (refused.json(), "true")
    assert total(api, "customers") == 0


def test_a_failing_request_is_neither_done_nor_kept(api):
    api.backend.sql(
        "ALTER TABLE metrics ADD CONSTRAINT no_poison CHECK (description <> 'poison') NOT VALID"
    )
    body = {**METRIC, "description": "poison"}
    failed = api.post("/v1/metrics", json=body, headers=KEY)
    api.backend.sql("ALTER TABLE metrics DROP CONSTRAINT no_poison")

    mended = api.post("/v1/metrics", json=body, headers=KEY)

    assert (failed.status_code, failed.json()) == (
        500,
        {"error": "internal error", "code": "internal_error"},
    )
    assert (mended.status_code, REPLAYED in mended.headers) == (201, False)


def test_ingest_takes_no_notice_of_the_key(api):
    api.customer()

    answers = [
        api.post("/v1/ingest", json={"events": [event(key)]}, headers=KEY) for key in ("a", "b")
    ]

    assert [answer.json()["ingested"] for answer in answers] == [["a"], ["b"]]
    assert [REPLAYED in answer.headers for answer in answers] == [False, False]
