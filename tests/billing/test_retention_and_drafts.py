"""Retention: what a draft still needs is kept for a while; what is lost is never billed short."""

import pytest

from monigo import invoicing, metering
from support.api import event
from support.metering import fold
from support.verification import faults

# A period that begins and ends within hours, and one that doesn't.
BROKEN, WHOLE = "2027-01-01T00:30:00Z", "2027-01-01T00:00:00Z"
SUMMED = {"aggregation": "sum", "aggregation_property": "n"}
# When the events of January are older than the hundred days that they are kept.
OLD = "2027-06-01T00:00:00Z"


@pytest.fixture(autouse=True)
def verified(api, backend):
    """Each of these stories ends with books in which `verify` finds nothing."""
    yield
    assert faults(backend, api.tenant) == []


def waived(api, clock, start, **metric):
    """A subscription whose January, of two events in its first hour, was closed and voided."""
    clock(start)
    api.patch("/v1/organization", json={"raw_event_retention_days": 100})
    api.customer()
    measured = api.metric(**metric)
    price = {"metric_id": measured["id"], "model": "flat_unit", "unit_price": "1"}
    subscription = api.subscribe("c1", api.plan(price)["id"], start_date=start)
    early = "2027-01-01T00:31:00Z"
    clock("2027-01-20T00:00:00Z")
    api.ingest(
        event("1", timestamp=early, properties={"n": 7}),
        event("2", timestamp=early, properties={"n": 4}),
        event("3", timestamp="2027-01-01T00:59:59Z", properties={"n": 20}),
        event("4", timestamp="2027-01-20T00:00:00Z", properties={"n": 300}),
    )
    fold(api)
    clock("2027-02-01T01:00:00Z")
    (closing,) = api.get("/v1/invoices").json()["invoices"]
    assert api.post(f"/v1/invoices/{closing['id']}/void").status_code == 200
    return measured, subscription


def forget(api):
    services = api.backend.services
    return api.backend.run(
        metering.redact_events(services.database, api.tenant, invoicing.open_from)
    )


def again(api, subscription, start):
    body = {"subscription_id": subscription["id"], "period_start": start}
    return api.post("/v1/invoices/generate", json=body)


def told(answer):
    """How a request was answered: the invoice's total, or the code of a refusal."""
    body = answer.json()
    if not answer.is_success:
        return answer.status_code, body["code"]
    return body["invoice"]["total"].removesuffix(".000000")


def drafts(api):
    return api.get("/v1/invoices?status=draft&limit=100").json()["invoices"]


@pytest.mark.parametrize(
    ("start", "metric", "wanted"),
    [
        (BROKEN, SUMMED, (409, "beyond_retention")),
        (WHOLE, SUMMED, "331"),
        (BROKEN, {}, "4"),
        (BROKEN, {"group_by": "n"}, (409, "beyond_retention")),
        (
            BROKEN,
            {"filters": [{"property": "n", "operator": "=", "value": 7}]},
            (409, "beyond_retention"),
        ),
    ],
)
def test_a_waived_period_is_billed_exactly_or_not_at_all(api, clock, start, metric, wanted):
    _, subscription = waived(api, clock, start, **metric)
    clock(OLD)
    before = len(drafts(api))
    assert forget(api) == 4

    answer = again(api, subscription, start)

    assert told(answer) == wanted
    assert len(drafts(api)) - before == (wanted in {"331", "4"})


def test_a_waived_period_is_billed_where_nothing_was_in_its_broken_hours(api, clock):
    start = "2027-01-01T00:59:59.999999Z"
    _, subscription = waived(api, clock, start, **SUMMED)
    clock(OLD)
    forget(api)

    assert told(again(api, subscription, start)) == "300"


def test_a_waived_period_whose_metric_counts_otherwise_since_can_not_be_read(api, clock):
    metric, subscription = waived(api, clock, WHOLE, **SUMMED)
    clock(OLD)
    forget(api)
    edited = api.put(f"/v1/metrics/{metric['id']}", json={"aggregation": "max"})
    assert edited.status_code == 200

    assert told(again(api, subscription, WHOLE)) == (409, "beyond_retention")


def test_a_draft_keeps_what_it_is_made_of(api, clock):
    _, subscription = waived(api, clock, BROKEN, **SUMMED)
    clock("2027-03-20T00:00:00Z")
    draft = again(api, subscription, BROKEN).json()["invoice"]
    clock("2027-06-17T23:59:59Z")
    # The draft's own period is kept, with all that is younger.
    assert forget(api) == 0

    final = api.post(f"/v1/invoices/{draft['id']}/finalize")

    assert told(final) == "331"
    clock("2027-06-18T02:00:00Z")
    assert forget(api) == 4


def test_a_draft_keeps_it_for_as_long_again_each_time_it_is_refreshed(api, clock):
    _, subscription = waived(api, clock, BROKEN, **SUMMED)
    for day in ("2027-03-20", "2027-06-10", "2027-09-01"):
        clock(f"{day}T00:00:00Z")
        again(api, subscription, BROKEN)

    assert forget(api) == 0
    assert told(again(api, subscription, BROKEN)) == "331"


def test_a_draft_that_is_forgotten_keeps_nothing_and_can_not_become_final(api, clock):
    _, subscription = waived(api, clock, BROKEN, **SUMMED)
    clock("2027-03-20T00:00:00Z")
    draft = again(api, subscription, BROKEN).json()["invoice"]
    clock("2027-06-18T00:00:01Z")
    assert forget(api) == 4

    final = api.post(f"/v1/invoices/{draft['id']}/finalize")

    assert told(final) == (409, "beyond_retention")
    assert told(again(api, subscription, BROKEN)) == (409, "beyond_retention")
    assert api.get(f"/v1/invoices/{draft['id']}").json()["invoice"]["total"] == "331.000000"
    assert api.delete(f"/v1/invoices/{draft['id']}").status_code == 200


def test_a_deleted_draft_keeps_nothing(api, clock):
    _, subscription = waived(api, clock, BROKEN, **SUMMED)
    clock("2027-03-20T00:00:00Z")
    draft = again(api, subscription, BROKEN).json()["invoice"]
    clock(OLD)
    assert forget(api) == 0
    api.delete(f"/v1/invoices/{draft['id']}")
    clock("2027-06-01T02:00:00Z")

    assert forget(api) == 4
