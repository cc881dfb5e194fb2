"""What is remembered of a tenant stores events only as long as it holds, and refuses nobody."""

import asyncio
from datetime import timedelta

import pytest

from monigo import tenancy
from monigo.core.errors import DomainError
from monigo.metering import Event, Ingestor
from monigo.metering.ingest import store
from monigo.tenancy import KeyReference, Scope
from support.api import Api, event


@pytest.fixture
def known(api):
    """An organisation of which everything is remembered, with an event stored."""
    api.customer("c1")
    api.metric()
    api.ingest(event("first"))
    return api


def refusal(api, *events):
    response = api.post("/v1/ingest", json={"events": list(events)})
    return response.status_code, response.json()["error"]


def keys_of(api):
    return {item["idempotency_key"] for item in api.get("/v1/events").json()["events"]}


def caller_of(api, scopes=tenancy.ALL_SCOPES):
    issued = api.backend.run(
        tenancy.issue_key(
            api.backend.services.database,
            api.org_id,
            name="shop",
            is_test_mode=api.tenant.is_test,
            scopes=scopes,
        )
    )
    return KeyReference(api.tenant, issued.key.id)


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE api_keys SET revoked_at = now(), updated_at = now() WHERE org_id = $1",
        "UPDATE api_keys SET revoked_at = now() WHERE org_id = $1",
        "UPDATE api_keys SET expires_at = created_at, updated_at = now() WHERE org_id = $1",
        "UPDATE api_keys SET scopes = '{read}', updated_at = now() WHERE org_id = $1",
        "UPDATE api_keys SET disabled_at = now() WHERE org_id = $1",
        "UPDATE organizations SET suspended_at = now() WHERE org_id = $1",
    ],
)
@pytest.mark.parametrize("is_test", [True, False])
def test_a_remembered_key_that_was_changed_stores_nothing_more(backend, spoil, is_test):
    with Api.of_new_organization(backend, is_test=is_test) as shop:
        shop.customer("c1")
        shop.ingest(event("first"))

        backend.sql(spoil, shop.org_id)

        assert refusal(shop, event("second"))[0] in {401, 403}
        stored = backend.sql(
            "SELECT idempotency_key FROM usage_events WHERE org_id = $1", shop.org_id
        )
        assert [row["idempotency_key"] for row in stored] == ["first"]


def test_a_key_that_may_again_is_not_refused_from_memory(known, backend):
    limit = "UPDATE api_keys SET scopes = $2, updated_at = now() WHERE org_id = $1"
    backend.sql(limit, known.org_id, ["read"])
    assert refusal(known, event("second"))[0] == 403

    backend.sql(limit, known.org_id, ["read", "ingest"])

    assert known.ingest(event("second"))["ingested"] == ["second"]


def test_a_reference_that_means_another_customer_now_is_stored_for_that_one(known):
    known.put("/v1/customers/c1", json={"external_id": "old"}).raise_for_status()
    new = known.customer("c1")

    known.ingest(event("second"))

    listed = {
        item["idempotency_key"]: item["customer_id"]
        for item in known.get("/v1/events").json()["events"]
    }
    assert listed["second"] == new["id"] != listed["first"]


def test_a_customer_that_is_gone_is_named_and_nothing_is_stored(known):
    known.customer("c2")
    known.ingest(event("second", "c2"))
    known.delete("/v1/customers/c1").raise_for_status()

    refused = known.post(
        "/v1/ingest", json={"events": [event("third", "c2"), event("fourth", "c1")]}
    )

    assert refused.status_code == 400
    assert list(refused.json()["details"]) == ["events[1].customer_id"]
    assert keys_of(known) == {"first", "second"}


def test_a_new_customer_is_found_though_it_was_refused_a_moment_before(known):
    assert refusal(known, event("second", "later"))[0] == 400

    known.customer("later")

    assert known.ingest(event("second", "later"))["ingested"] == ["second"]


def test_events_are_stored_at_the_time_that_a_moved_test_clock_shows(known):
    now = (known.backend.clock.now() + timedelta(days=40)).isoformat()
    moved = known.post("/v1/test-clock/advance", json={"to": now})
    assert moved.status_code == 200, moved.text

    known.ingest(event("second"))

    listed = {
        item["idempotency_key"]: item["timestamp"]
        for item in known.get("/v1/events").json()["events"]
    }
    assert listed["second"][:16] == now[:16]


def test_test_data_that_was_cleared_leaves_nothing_remembered(known):
    known.post("/v1/test-data/reset").raise_for_status()
    assert refusal(known, event("second"))[0] == 400

    known.customer("c1")

    assert known.ingest(event("first"))["ingested"] == ["first"]


def test_a_change_at_the_very_moment_of_storing_is_noticed(known, monkeypatch):
    """The key is revoked after it was found good, and before the insert looks again."""
    caller = caller_of(known)
    services = known.backend.services
    ingestor = Ingestor(services.database, tenancy.Limits())
    insert = store.insert_new_events

    async def revoke_first(*arguments, **when):
        await tenancy.revoke_key(
            services.database, org_id=known.org_id, api_key_id=caller.api_key_id
        )
        return await insert(*arguments, **when)

    monkeypatch.setattr(store, "insert_new_events", revoke_first)
    with pytest.raises(DomainError) as raised:
        known.backend.run(ingestor.ingest(caller, [Event("api_call", "c1", "second")]))

    assert raised.value.code == "invalid_credential"
    assert keys_of(known) == {"first"}


def test_one_request_s_revoked_key_leaves_the_others_of_its_group_stored(known):
    good, bad = caller_of(known), caller_of(known, (Scope.READ,))
    ingestor = Ingestor(known.backend.services.database, tenancy.Limits())
    callers = [good, bad, good, bad, good]

    async def run():
        return await asyncio.gather(
            *(
                ingestor.ingest(caller, [Event("api_call", "c1", f"e{number}")])
                for number, caller in enumerate(callers)
            ),
            return_exceptions=True,
        )

    told = known.backend.run(run())

    assert [isinstance(answer, DomainError) for answer in told] == [
        *(False, True, False, True, False)
    ]
    assert keys_of(known) == {"first", "e0", "e2", "e4"}


def test_a_repeat_is_told_while_the_basis_changes(known):
    known.customer("c2")
    known.ingest(event("second"), event("first"))
    known.delete("/v1/customers/c2").raise_for_status()

    answer = known.ingest(event("second"), event("third"))

    assert answer == {"ingested": ["third"], "duplicates": ["second"]}
