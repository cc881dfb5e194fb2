"""`monigo verify` finds each kind of fault, and nothing where there is none."""

import asyncio

import asyncpg
import pytest

from monigo import metering
from monigo.cli.verification import Report, verify_tenant
from support.api import event

METRICS = [
    {"aggregation": "count"},
    {"aggregation": "sum", "aggregation_property": "n"},
    {"aggregation": "max", "aggregation_property": "n"},
    {"aggregation": "unique", "aggregation_property": "user"},
    {"aggregation": "count", "group_by": "user"},
    {"aggregation": "count", "filters": [{"property": "n", "operator": ">", "value": 3}]},
]

# A fault, and what `verify` calls it. The parameter is the organisation.
FAULTS = {
    "bucket changed": (
        (
            "UPDATE usage_hours SET event_count = event_count + 1 WHERE org_id = $1 AND metric_id"
            " = (SELECT metric_id FROM usage_hours WHERE org_id = $1 ORDER BY 1 LIMIT 1)"
        ),
        "bucket",
    ),
    "bucket lost": ("DELETE FROM usage_hours WHERE org_id = $1", "bucket"),
    "day changed": (
        "UPDATE usage_days SET number_sum = number_sum + 1 WHERE org_id = $1",
        "day of buckets",
    ),
    "day lost": ("DELETE FROM usage_days WHERE org_id = $1", "day of buckets"),
    "event lost": (
        "DELETE FROM usage_events WHERE org_id = $1 AND idempotency_key = 'k1'",
        "bucket",
    ),
    "event changed": (
        """UPDATE usage_events SET properties = '{"n": 7, "user": "x"}' WHERE org_id = $1""",
        "bucket",
    ),
    "event moved to another customer": (
        (
            "UPDATE usage_events SET customer_id = gen_random_uuid()"
            " WHERE org_id = $1 AND idempotency_key = 'k2'"
        ),
        "bucket",
    ),
    "value lost": ("DELETE FROM usage_hour_values WHERE org_id = $1", "distinct values"),
    "value invented": (
        "UPDATE usage_hour_values SET value = gen_random_uuid() WHERE org_id = $1",
        "distinct values",
    ),
    "month miscounted": (
        "UPDATE event_counts SET event_count = event_count - 1 WHERE org_id = $1",
        "event count of a month",
    ),
    "month lost": ("DELETE FROM event_counts WHERE org_id = $1", "event count of a month"),
    "volume miscounted": (
        "UPDATE event_volumes SET event_count = event_count + 1 WHERE org_id = $1",
        "event count of a quarter of an hour",
    ),
    "volume lost": (
        "DELETE FROM event_volumes WHERE org_id = $1",
        "event count of a quarter of an hour",
    ),
    "event lost before its fold": (
        "DELETE FROM usage_events WHERE org_id = $1 AND idempotency_key = 'waits'",
        "events of a batch",
    ),
    "batch lost": ("DELETE FROM unfolded_batches WHERE org_id = $1", "bucket"),
    "stretch lost": (
        "DELETE FROM subscription_stretches WHERE org_id = $1",
        "stretches of a subscription",
    ),
    "stretch moved": (
        (
            "UPDATE subscription_stretches SET started_at = started_at - interval '1 day'"
            " WHERE org_id = $1"
        ),
        "stretches of a subscription",
    ),
    "stretch of another": (
        "UPDATE subscription_stretches SET customer_id = gen_random_uuid() WHERE org_id = $1",
        "stretches of a subscription",
    ),
    "instants billable twice": (
        (
            "INSERT INTO subscriptions SELECT (jsonb_populate_record(known, jsonb_build_object("
            "'id', gen_random_uuid(), 'status', 'canceled', 'canceled_at',"
            " start_date + interval '1 minute'))).* FROM subscriptions AS known WHERE org_id = $1"
        ),
        "usage billable twice",
    ),
    "due work lost": ("DELETE FROM agenda WHERE kind = 'period_close' AND org_id = $1", "due work"),
    "subtotal changed": (
        "UPDATE invoices SET subtotal = subtotal + 1, total = total + 1 WHERE org_id = $1",
        "invoice subtotal",
    ),
    "tax changed": (
        (
            "UPDATE invoices SET vat_amount = vat_amount + 1, total = total + 1"
            " WHERE org_id = $1 AND vat_enabled"
        ),
        "invoice vat_amount",
    ),
    "line changed": (
        "UPDATE invoice_line_items SET amount = amount + 0.01 WHERE org_id = $1",
        "invoice subtotal",
    ),
    "line lost": ("DELETE FROM invoice_line_items WHERE org_id = $1", "invoice total"),
    "number skipped": (
        "UPDATE invoices SET number = number + 5 WHERE org_id = $1 AND number = 2",
        "invoice number",
    ),
    "counter changed": (
        "UPDATE counters SET value = value + 1 WHERE org_id = $1 AND name = 'invoice'",
        "last invoice number",
    ),
}


@pytest.fixture
def merchant(api, backend):
    """Usage of all sorts, two final invoices and a draft; one batch still waits to be folded."""
    api.patch("/v1/organization", json={"vat_enabled": True, "vat_rate": 7.5})
    for number, metric in enumerate(METRICS):
        api.metric("call", name=f"m{number}", **metric)
    customer = api.customer()
    metric = api.metric("call", name="billed")
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "2.5"}
    subscription = api.subscribe(customer["id"], api.plan(price)["id"])
    for number in range(6):
        api.ingest(event(f"k{number}", name="call", properties={"n": number, "user": f"u{number}"}))
        if number % 2:
            draft = api.draft(subscription["id"])
            if number < 4:
                api.finalize(draft["id"])
    backend.run(metering.fold_all(backend.services.database))
    api.ingest(event("waits", name="call", properties={"n": 9, "user": "late"}))
    let_buckets_be_read(backend, api)
    yield api
    # A batch that lacks events can't be folded ever.
    backend.sql("DELETE FROM unfolded_batches WHERE org_id = $1", api.org_id)


def let_buckets_be_read(backend, api):
    """As if each metric had been there from the first event on."""
    backend.sql("UPDATE metrics SET rollups_from = '-infinity' WHERE org_id = $1", api.org_id)


def plant(backend, api, statement):
    async def run():
        connection = await asyncpg.connect(backend.owner_url)
        try:
            async with connection.transaction():
                for table in ("invoices", "invoice_line_items"):
                    await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
                tag = await connection.execute(statement, api.org_id)
                for table in ("invoices", "invoice_line_items"):
                    await connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
                return tag
        finally:
            await connection.close()

    return asyncio.run(run())


def found(backend, api):
    verifications = backend.run(verify_tenant(backend.services.database, api.tenant))
    return [difference for one in verifications for difference in one.differences]


def test_a_healthy_tenant_has_no_differences(merchant, backend):
    verifications = backend.run(verify_tenant(backend.services.database, merchant.tenant))

    assert not any(one.differences for one in verifications)
    looked_at = {name: count for one in verifications for name, count in one.looked_at.items()}
    assert (looked_at["events"], looked_at["invoices"]) == (7, 3)
    assert looked_at["buckets"] >= 7


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(merchant, backend, fault):
    statement, named = FAULTS[fault]
    tag = plant(backend, merchant, statement)

    differences = found(backend, merchant)

    assert not tag.endswith(" 0")
    assert named in {difference.what for difference in differences}


def test_another_tenants_fault_is_not_told_as_ones_own(merchant, api, backend):
    plant(backend, merchant, FAULTS["bucket lost"][0])
    with type(api).of_new_organization(backend) as other:
        other.customer()
        other.ingest(event("a"))

        assert found(backend, other) == []


def test_the_report_says_whose_the_difference_is(merchant, backend):
    plant(backend, merchant, FAULTS["counter changed"][0])
    differences = [(merchant.tenant, difference) for difference in found(backend, merchant)]

    lines = Report({"invoices": 3}, differences).as_lines()

    assert lines == [
        f"{merchant.org_id} test: last invoice number counter: stored 3, computed 2",
        "1 difference in 3 invoices",
    ]


def test_a_tenant_whose_events_are_lost_does_not_keep_the_others_from_being_folded(
    merchant, api, backend
):
    plant(backend, merchant, FAULTS["event lost before its fold"][0])
    with type(api).of_new_organization(backend) as other:
        other.customer()
        other.metric()
        other.ingest(event("a"))

        with pytest.raises(ExceptionGroup):
            backend.run(metering.fold_all(backend.services.database))

        waiting = backend.sql("SELECT org_id FROM unfolded_batches")
        assert {row["org_id"] for row in waiting} & {merchant.org_id, other.org_id} == {
            merchant.org_id
        }
