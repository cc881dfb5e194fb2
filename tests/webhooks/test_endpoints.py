"""Endpoints: where they may lead, what they may want, and who sees their secret."""

import pytest

from monigo.core.access import Scope
from monigo.core.errors import DomainError
from monigo.infra.http_client import Outward
from monigo.webhooks import EndpointChanges, EventType, endpoints
from monigo.webhooks.endpoints.rules import events_fault
from monigo.webhooks.endpoints.service import ENDPOINTS_MAX
from support.hooks import PUBLIC_URL, endpoint

PATH = "/v1/webhook-endpoints"
COUNT = "SELECT count(*) FROM webhook_endpoints WHERE org_id = $1"
PLANT = """
    INSERT INTO webhook_endpoints (org_id, is_test, id, url, events, is_enabled, disabled_reason,
        secret_ciphertext, created_at, updated_at)
    SELECT $1, true, gen_random_uuid(), 'https://a.example', '{*}', true, '', 'x', now(), now()
    FROM generate_series(1, $2)
"""


def test_a_secret_is_shown_once(api):
    made = endpoint(api)

    read = api.get(f"{PATH}/{made['id']}").json()["webhook_endpoint"]
    (listed,) = api.get(PATH).json()["webhook_endpoints"]
    updated = api.put(f"{PATH}/{made['id']}", json={"events": ["invoice.*"]})

    assert made["secret_key"].startswith("whsec_")
    assert read == listed == {name: made[name] for name in made if name != "secret_key"}
    assert "secret_key" not in updated.json()["webhook_endpoint"]


def test_a_secret_is_stored_encrypted_and_not_with_a_kept_answer(api):
    headers = {"Idempotency-Key": "once"}
    first = api.post(PATH, json={"url": PUBLIC_URL}, headers=headers)

    again = api.post(PATH, json={"url": PUBLIC_URL}, headers=headers)

    secret = first.json()["webhook_endpoint"]["secret_key"]
    stored = api.backend.sql(
        "SELECT secret_ciphertext FROM webhook_endpoints WHERE org_id = $1", api.org_id
    )
    assert again.json() == first.json()
    assert secret.encode() not in stored[0]["secret_ciphertext"]


def test_an_endpoint_gets_all_types_unless_it_names_some(api):
    assert endpoint(api)["events"] == ["*"]
    assert endpoint(api, events=["invoice.*", "invoice.*"])["events"] == ["invoice.*"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "shop.example"}, "url"),
        ({"url": "ftp://shop.example"}, "url"),
        ({"url": "https://user:word@shop.example"}, "url"),
        ({"url": PUBLIC_URL, "events": []}, "events"),
        ({"url": PUBLIC_URL, "events": ["invoice.unheard"]}, "events"),
        ({"url": PUBLIC_URL, "events": ["inv*"]}, "events"),
        ({"url": PUBLIC_URL, "events": ["invoice.paid"] * 2 + ["nothing.*"]}, "events"),
        ({"url": PUBLIC_URL, "secret_key": "short"}, "secret_key"),
        ({"url": PUBLIC_URL, "secret_key": "whsec_too+short"}, "secret_key"),
        ({"url": PUBLIC_URL, "secret_key": "whsec_" + "A" * 200}, "secret_key"),
        ({"url": PUBLIC_URL, "secret_key": "with spaces in the middle"}, "secret_key"),
    ],
)
def test_what_is_no_endpoint_is_refused_by_its_field(api, body, field):
    answer = api.post(PATH, json=body)

    assert answer.status_code == 400
    assert list(answer.json()["details"]) == [field]
    assert api.get(PATH).json()["count"] == 0


@pytest.mark.parametrize(
    "url", ["http://shop.example", "https://10.0.0.1", "https://169.254.169.254", "https://[::1]"]
)
def test_without_the_operators_word_a_private_address_is_refused(api, url):
    async def create():
        backend = api.backend.services
        async with backend.database.transaction(api.tenant) as tx:
            await endpoints.create(tx, backend.webhooks.vault, Outward(), EndpointChanges(url=url))

    with pytest.raises(DomainError) as refusal:
        api.backend.run(create())

    assert list(refusal.value.fields) == ["url"]
    assert api.get(PATH).json()["count"] == 0


def test_every_type_and_every_beginning_of_one_may_be_wanted():
    names = [one.value for one in EventType]
    beginnings = [name.rpartition(".")[0] + ".*" for name in names]

    assert [one for one in [*names, *beginnings, "*"] if events_fault([one])] == []


def test_a_beginning_ends_at_a_dot():
    assert endpoints.wants(["invoice.*"], "invoice.paid")
    assert endpoints.wants(["*"], "invoice.paid")
    assert not endpoints.wants(["invoice.*"], "invoices.paid")
    assert not endpoints.wants(["invoice.pai"], "invoice.paid")


def test_a_deleted_endpoint_is_gone_with_its_secret(api):
    made = endpoint(api)

    answer = api.delete(f"{PATH}/{made['id']}")

    stored = api.backend.sql(
        "SELECT secret_ciphertext, is_enabled FROM webhook_endpoints WHERE org_id = $1", api.org_id
    )
    assert answer.status_code == 200
    assert api.get(f"{PATH}/{made['id']}").status_code == 404
    assert [tuple(row.values()) for row in stored] == [(None, False)]


def test_there_are_so_many_endpoints_at_most(api):
    api.backend.sql(PLANT, api.org_id, ENDPOINTS_MAX)

    refused = api.post(PATH, json={"url": PUBLIC_URL})

    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_webhook_endpoints")


def test_keys_without_the_scope_see_no_endpoints(api):
    scopes = (Scope.READ, Scope.WRITE)
    with type(api).of(api.backend, api.org_id, is_test=True, scopes=scopes) as other:
        assert other.get(PATH).status_code == 403
        assert other.post(PATH, json={"url": PUBLIC_URL}).status_code == 403


def test_the_first_step_of_taking_webhooks_is_done_by_an_endpoint(api):
    def steps():
        answer = api.get("/api/v1/onboarding/progress", params={"org_id": str(api.org_id)})
        found = answer.json()["progress"]["steps"]
        return {one["id"] for one in found if one["is_completed"]}

    before = steps()
    endpoint(api)

    assert steps() - before == {"webhook"}


def test_the_same_secret_again_is_no_rotation(api):
    made = endpoint(api)

    async def valid():
        services = api.backend.services
        cipher = endpoints.EndpointCipher(services.webhooks.vault, api.tenant)
        async with services.database.transaction(api.tenant) as tx:
            (found,) = await endpoints.listening(tx)
            return cipher.valid(found, tx.real_now)

    api.put(f"{PATH}/{made['id']}", json={"secret_key": made["secret_key"]})
    same = api.backend.run(valid())
    api.put(f"{PATH}/{made['id']}", json={"secret_key": "another-secret-of-mine"})

    assert same == [made["secret_key"]]
    assert api.backend.run(valid()) == ["another-secret-of-mine", made["secret_key"]]
