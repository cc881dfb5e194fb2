"""Retention: old events lose their properties, and nothing that was counted from them."""

from datetime import timedelta

import pytest

from monigo import invoicing, metering
from monigo.core.times import format_instant
from monigo.metering.retention import service as retention
from support.api import Api, event
from support.metering import fold

PROPERTIES = "SELECT properties::text AS text FROM usage_events WHERE org_id = $1 ORDER BY dedup"


def keep_for(api, days):
    answer = api.patch("/v1/organization", json={"raw_event_retention_days": days})
    assert answer.status_code == 200, answer.text
    return answer.json()["organization"]["raw_event_retention_days"]


def forget(api):
    services = api.backend.services
    return api.backend.run(
        metering.redact_events(services.database, api.tenant, invoicing.open_from)
    )


def properties(api):
    return [row["text"] for row in api.backend.sql(PROPERTIES, api.org_id)]


def replay(api, **age):
    now = api.backend.clock.now()
    start = (now - timedelta(**age)).isoformat()
    return api.post("/v1/events/replay", json={"from": start, "to": now.isoformat()})


@pytest.fixture
def aged(api):
    """An event of a hundred days ago, folded, of an organisation that keeps them for 100 days."""
    api.customer()
    api.metric("tokens", aggregation="sum", aggregation_property="n")
    api.ingest(event("old", name="tokens", properties={"n": 7}))
    fold(api)
    keep_for(api, 100)
    api.backend.clock.advance(days=102)
    return api


def test_old_events_lose_their_properties_once(aged):
    assert [forget(aged), forget(aged)] == [1, 0]
    assert properties(aged) == ["{}"]


def test_only_events_that_had_properties_are_emptied(aged, monkeypatch):
    aged.backend.clock.reset()
    aged.ingest(event("bare", name="tokens"))
    aged.ingest(*[event(f"o{number}", name="tokens", properties={"n": 1}) for number in range(4)])
    fold(aged)
    aged.backend.clock.advance(days=102)
    # Of the only customer, so that several steps look at the same one.
    monkeypatch.setattr(retention, "EVENTS_A_STEP", 2)

    assert forget(aged) == 5
    assert set(properties(aged)) == {"{}"}


@pytest.mark.parametrize(("is_test", "emptied"), [(True, 0), (False, 1)])
def test_only_what_may_be_as_old_must_be_folded_before(backend, is_test, emptied):
    """In test mode an event's own time says nothing of when it came in."""
    with Api.of_new_organization(backend, is_test=is_test) as api:
        api.customer()
        api.ingest(event("old", name="tokens", properties={"n": 7}))
        fold(api)
        keep_for(api, 100)
        backend.clock.advance(days=102)
        api.ingest(event("young", name="tokens", properties={"n": 7}))

        assert forget(api) == emptied
    backend.clock.reset()


def test_the_key_of_a_redacted_event_stays_known(aged):
    forget(aged)

    answer = aged.ingest(event("old", name="tokens", properties={"n": 7}))

    assert answer == {"ingested": [], "duplicates": ["old"]}


def test_what_was_counted_stays_counted(aged):
    span = {"from": "2020-01-01T00:00:00Z"}
    before = aged.get("/v1/usage", params=span).json()["rollups"]

    forget(aged)

    assert [rollup["value"] for rollup in before] == [7]
    assert aged.get("/v1/usage", params=span).json()["rollups"] == before


def test_events_within_the_retention_keep_everything(api):
    api.customer()
    api.ingest(event("young", name="tokens", properties={"n": 7}))
    fold(api)
    keep_for(api, 100)
    api.backend.clock.advance(days=100)

    assert forget(api) == 0
    assert properties(api) == ['{"n": 7}']


def test_without_a_setting_events_are_kept_for_ever(aged):
    assert keep_for(aged, None) is None
    assert forget(aged) == 0


def test_events_that_are_not_folded_keep_everything(api):
    api.customer()
    api.ingest(event("unfolded", name="tokens", properties={"n": 7}))
    keep_for(api, 100)
    api.backend.clock.advance(days=102)

    assert forget(api) == 0
    fold(api)
    assert forget(api) == 1


def test_nothing_is_emptied_while_a_replay_may_need_it(aged):
    assert replay(aged, days=50).status_code == 202

    assert forget(aged) == 0


def test_a_replay_beyond_the_retention_is_refused(aged):
    assert [replay(aged, days=days).status_code for days in (99, 102)] == [202, 409]


def test_what_was_emptied_stays_out_of_reach_when_the_setting_grows(aged):
    forget(aged)

    keep_for(aged, 400)

    assert forget(aged) == 0
    assert [replay(aged, days=days).status_code for days in (100, 110)] == [202, 409]


def test_what_is_about_to_be_emptied_is_out_of_reach_as_the_setting_shrinks(aged):
    keep_for(aged, 400)
    forget(aged)

    keep_for(aged, 100)

    assert [replay(aged, days=days).status_code for days in (99, 150)] == [202, 409]


@pytest.mark.parametrize("days", [99, 0, -1, 36_501, "many", 100.5])
def test_a_retention_out_of_bounds_is_refused(api, days):
    answer = api.patch("/v1/organization", json={"raw_event_retention_days": days})

    assert answer.status_code == 400
    assert list(answer.json()["details"]) == ["raw_event_retention_days"]


WAITING = "SELECT count(*) AS count FROM waiting_retentions WHERE org_id = $1"


@pytest.fixture
def paused(api):
    """A period from half past an hour on, of a subscription that has been paused for 102 days."""
    start = api.backend.clock.now().replace(minute=30, second=0, microsecond=0)
    start -= timedelta(hours=2)
    api.customer()
    api.customer("other")
    metric = api.metric("tokens", aggregation="sum", aggregation_property="n")
    plan = api.plan({"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"})
    subscription = api.subscribe("c1", plan["id"], start_date=format_instant(start))
    broken = {"name": "tokens", "timestamp": format_instant(start + timedelta(minutes=1))}
    earlier = {"name": "tokens", "timestamp": format_instant(start - timedelta(minutes=1))}
    api.ingest(
        event("in", properties={"n": 7}, **broken),
        event("before", properties={"n": 20}, **earlier),
        event("other", "other", properties={"n": 300}, **broken),
    )
    fold(api)
    api.patch(f"/v1/subscriptions/{subscription['id']}", json={"status": "paused"})
    keep_for(api, 100)
    api.backend.clock.advance(days=102)
    forget(api)
    return api, subscription


def test_an_open_periods_events_keep_everything(paused):
    api, subscription = paused

    assert sorted(properties(api)) == ['{"n": 7}', "{}", "{}"]
    assert api.backend.sql(WAITING, api.org_id)[0]["count"] == 1
    api.delete(f"/v1/subscriptions/{subscription['id']}")
    totals = [invoice["total"] for invoice in api.get("/v1/invoices").json()["invoices"]]
    assert max(totals) == "7.000000"


def test_once_their_period_is_closed_they_lose_it(paused):
    api, subscription = paused
    api.delete(f"/v1/subscriptions/{subscription['id']}")
    api.backend.clock.advance(hours=1)

    assert [forget(api), forget(api)] == [1, 0]
    assert set(properties(api)) == {"{}"}
    assert api.backend.sql(WAITING, api.org_id)[0]["count"] == 0
