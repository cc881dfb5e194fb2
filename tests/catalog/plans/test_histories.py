"""What the catalog remembers: plans with all their revisions, metrics under each version."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import asyncpg
import pytest

from monigo import catalog
from monigo.catalog import BaseFee, BillingMode, PlanChanges, PlanDetails, PlanType
from monigo.core.errors import DomainError
from monigo.core.periods import BillingPeriod


@pytest.fixture
def in_transaction(api):
    """Runs a use case for the tenant; its arguments follow the transaction."""

    async def run(use_case, *arguments, **named):
        async with api.backend.services.database.transaction(api.tenant) as tx:
            return await use_case(tx, *arguments, **named)

    return lambda *arguments, **named: api.backend.run(run(*arguments, **named))


@pytest.fixture
def plan_details():
    return PlanDetails(
        "Plan", "", "NGN", PlanType.COLLECTION, BillingPeriod.MONTHLY, BillingMode.POSTPAID, 0
    )


def flat(metric, unit_price):
    return {"metric_id": metric["id"], "model": "flat_unit", "unit_price": unit_price}


def ids_of(*plans):
    return [UUID(plan["id"]) for plan in plans]


def redefined(api, metric, **fields):
    api.backend.clock.advance(minutes=1)
    return api.put(f"/v1/metrics/{metric['id']}", json=fields).json()["metric"]


def test_histories_of_several_plans_keep_them_apart(api, in_transaction):
    metric = api.metric()
    one, two, bare = api.plan(flat(metric, "1")), api.plan(flat(metric, "2")), api.plan()
    api.put(f"/v1/plans/{two['id']}", json={"base_fee": "5"})

    histories = in_transaction(catalog.get_histories, ids_of(one, two, bare))

    told = {
        str(plan_id): (
            [revision.base_fee.amount for revision in history.revisions],
            [str(known.price.id) for known in history.price_revisions],
        )
        for plan_id, history in histories.items()
    }
    assert told == {
        one["id"]: ([0], [one["prices"][0]["id"]]),
        two["id"]: ([0, 5], [two["prices"][0]["id"]]),
        bare["id"]: ([0], []),
    }


def test_a_deleted_plan_has_a_history_and_an_unknown_one_has_none(api, in_transaction):
    plan = api.plan(flat(api.metric(), "1"))
    api.delete(f"/v1/plans/{plan['id']}")

    histories = in_transaction(catalog.get_histories, [*ids_of(plan), uuid4()])

    assert list(histories) == ids_of(plan)
    assert in_transaction(catalog.get_histories, []) == {}


def test_a_history_keeps_prices_exactly(api, in_transaction):
    fields = {"flat_fee": "0.000001", "minimum_amount": "2", "maximum_amount": "3"}
    plan = api.plan({**flat(api.metric(), "0.000000000001"), **fields})

    (history,) = in_transaction(catalog.get_histories, ids_of(plan)).values()

    charge = history.price_revisions[0].price.terms.charge
    assert charge.model.unit_price == Decimal("0.000000000001")
    assert (charge.flat_fee, charge.minimum_amount, charge.maximum_amount) == (
        Decimal("0.000001"),
        2,
        3,
    )


def test_histories_of_many_plans_take_two_queries(api, in_transaction):
    metric = api.metric()
    plans = [api.plan(flat(metric, "1")) for _ in range(5)]
    asked = []

    async def counted(tx):
        tx.connection.add_query_logger(lambda record: asked.append(record.query))
        return await catalog.get_histories(tx, ids_of(*plans))

    histories = in_transaction(counted)

    assert (len(histories), len([query for query in asked if "SELECT" in query])) == (5, 2)


def test_a_negative_base_fee_is_refused_by_the_catalog_itself(in_transaction, plan_details):
    plan = in_transaction(catalog.create_plan, plan_details, [])
    minus = Decimal(-1)

    with pytest.raises(DomainError) as created:
        in_transaction(catalog.create_plan, plan_details, [], BaseFee(minus))
    with pytest.raises(DomainError) as updated:
        in_transaction(catalog.update_plan, plan.id, PlanChanges(base_fee=minus))

    assert created.value.fields == updated.value.fields == {"base_fee": "must not be negative"}


def test_a_metric_is_kept_under_each_version(api, in_transaction):
    metric = api.metric("api_call", name="Calls")
    redefined(api, metric, event_name="call", name="New calls")
    redefined(api, metric, filters=[{"property": "model", "operator": "=", "value": 1}])
    metric_id = UUID(metric["id"])
    asked = [(metric_id, number) for number in (1, 2, 3, 4)]

    versions = in_transaction(catalog.get_metric_versions, [*asked, (uuid4(), 1)])

    told = [
        (known.version, known.definition.name, known.definition.event_name)
        for known in versions.values()
    ]
    assert set(versions) == set(asked[:3])
    assert sorted(told) == [
        (1, "Calls", "api_call"),
        (2, "New calls", "call"),
        (3, "New calls", "call"),
    ]
    assert versions[metric_id, 3].definition.filters[0].value == 1


def test_a_version_reads_back_as_the_metric_was(api, in_transaction):
    metric = api.metric(
        "api_call",
        aggregation="sum",
        aggregation_property="n",
        group_by="model",
        filters=[{"property": "n", "operator": ">", "value": 0.5}],
        description="What it is",
    )
    metric_id = UUID(metric["id"])

    present = in_transaction(catalog.get_metric, metric_id)
    versions = in_transaction(catalog.get_metric_versions, [(metric_id, 1)])

    assert versions == {(metric_id, 1): present}


def test_an_edit_of_words_alone_makes_no_version(api, in_transaction):
    metric = api.metric(name="Calls")
    redefined(api, metric, name="Renamed", description="Other words")
    metric_id = UUID(metric["id"])

    versions = in_transaction(catalog.get_metric_versions, [(metric_id, 1), (metric_id, 2)])

    assert list(versions) == [(metric_id, 1)]
    assert versions[metric_id, 1].definition.name == "Calls"


def test_the_version_at_an_instant_is_the_latest_until_then(api, in_transaction):
    metric, other = api.metric(), api.metric("other")
    second = redefined(api, metric, event_name="two")
    third = redefined(api, metric, event_name="three")
    metric_ids = ids_of(metric, other)
    at_second, at_third = (
        in_transaction(catalog.get_metric_versions, [(metric_ids[0], number)])[
            metric_ids[0], number
        ].updated_at
        for number in (2, 3)
    )
    moment = timedelta(microseconds=1)
    instants = [at_second - moment, at_second, at_third - moment, at_third, at_third + moment]

    found = [in_transaction(catalog.metric_versions_at, metric_ids, at) for at in instants]

    assert [versions[metric_ids[0]].version for versions in found] == [1, 2, 2, 3, 3]
    assert [versions[metric_ids[1]].version for versions in found] == [1] * 5
    assert (second["event_name"], third["event_name"]) == ("two", "three")


def test_a_metric_that_is_younger_than_the_instant_counts_as_it_first_did(api, in_transaction):
    metric = api.metric()
    redefined(api, metric, event_name="two")
    metric_ids = ids_of(metric)
    before = api.backend.clock.now() - timedelta(days=1)

    found = in_transaction(catalog.metric_versions_at, metric_ids, before)

    assert found[metric_ids[0]].version == 1


def test_a_deleted_metric_keeps_its_versions(api, in_transaction):
    metric = api.metric()
    api.delete(f"/v1/metrics/{metric['id']}")
    metric_ids = ids_of(metric)

    found = in_transaction(catalog.metric_versions_at, metric_ids, api.backend.clock.now())

    assert list(found) == metric_ids


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("version", "metric_versions_pkey"),
        ("0", "metric_versions_count_from_one"),
    ],
)
def test_the_database_refuses_a_version_twice_or_none(api, change, constraint):
    metric = api.metric()

    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as caught:
        api.backend.sql(
            "INSERT INTO metric_versions SELECT org_id, is_test, metric_id,"
            f" {change}, name, event_name, aggregation, aggregation_property, filters, group_by,"
            " created_at FROM metric_versions WHERE metric_id = $1",
            metric["id"],
        )

    assert caught.value.constraint_name == constraint


def test_overrides_are_found_for_several_customers_at_once(api, in_transaction):
    one, two, none = (api.customer(name) for name in ("c1", "c2", "c3"))
    prices = api.plan(flat(api.metric(), "1"), flat(api.metric("m2"), "1"))["prices"]
    kept = [
        api.override("c1", prices[0]["id"], unit_price="3", model="flat"),
        api.override("c1", prices[1]["id"]),
        api.override("c2", prices[0]["id"]),
    ]
    gone = api.override("c2", prices[1]["id"])
    api.delete(f"/v1/price-overrides/{gone['id']}")

    found = in_transaction(catalog.overrides_of, ids_of(one, two, none))

    told = {
        str(customer_id): {str(override.id) for override in overrides}
        for customer_id, overrides in found.items()
    }
    assert told == {
        one["id"]: {kept[0]["id"], kept[1]["id"]},
        two["id"]: {kept[2]["id"]},
        none["id"]: set(),
    }
    first = next(known for known in found[UUID(one["id"])] if str(known.id) == kept[0]["id"])
    assert (first.model.unit_price, first.model_name) == (3, "flat")
