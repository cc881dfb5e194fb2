"""Fees, bounds and percentages of prices; the base fee; and what every edit of a plan leaves."""

from datetime import datetime
from uuid import uuid4

import asyncpg
import pytest

from monigo import catalog
from support import shapes
from support.locks import hanging

LOCKED_PLAN = "SELECT 1 FROM plans WHERE id = $1 FOR UPDATE"


def flat(metric, unit_price="2", **fields):
    return {"metric_id": metric["id"], "model": "flat_unit", "unit_price": unit_price, **fields}


def percentage(metric, rate="0.015", **fields):
    return {"metric_id": metric["id"], "model": "percentage", "tiers": {"rate": rate}, **fields}


def sum_metric(api, name="paid"):
    return api.metric(name, aggregation="sum", aggregation_property="amount")


def put(api, plan, **fields):
    response = api.put(f"/v1/plans/{plan['id']}", json=fields)
    assert response.status_code == 200, response.text
    return response.json()["plan"]


def revisions_of(api, plan, **query):
    return api.get(f"/v1/plans/{plan['id']}/revisions", params=query).json()


def told(revisions, *names):
    return [tuple(revision[name] for name in names) for revision in revisions["revisions"]]


def test_a_price_without_fee_and_bounds_shows_none(api):
    price = api.plan(flat(api.metric()))["prices"][0]

    assert (price["flat_fee"], price["minimum_amount"], price["maximum_amount"]) == (
        "0.000000",
        None,
        None,
    )


def test_fee_and_bounds_come_back_as_money(api):
    sent = {"flat_fee": "100", "minimum_amount": 5.5, "maximum_amount": "1000.000001"}

    plan = api.plan(flat(api.metric(), **sent))

    price = api.get(f"/v1/plans/{plan['id']}").json()["plan"]["prices"][0]
    assert (price["flat_fee"], price["minimum_amount"], price["maximum_amount"]) == (
        "100.000000",
        "5.500000",
        "1000.000001",
    )


def test_a_percentage_comes_back_in_canonical_form(api):
    tiers = {"rate": 0.0150, "fixed": "10"}

    plan = api.plan({"metric_id": sum_metric(api)["id"], "model": "percentage", "tiers": tiers})

    price = plan["prices"][0]
    assert (price["model"], price["unit_price"]) == ("percentage", "0.000000")
    assert price["tiers"] == {"rate": "0.015", "fixed": "10.000000"}


@pytest.mark.parametrize(
    ("price", "field"),
    [
        ({"flat_fee": "-1"}, "flat_fee"),
        ({"flat_fee": "0.0000001"}, "flat_fee"),
        ({"flat_fee": {}}, "flat_fee"),
        ({"minimum_amount": "NaN"}, "minimum_amount"),
        ({"minimum_amount": True}, "minimum_amount"),
        ({"maximum_amount": "1e3"}, "maximum_amount"),
        ({"maximum_amount": "1000000000000000000"}, "maximum_amount"),
        ({"minimum_amount": "2", "maximum_amount": "1"}, "maximum_amount"),
        ({"model": "percentage", "tiers": {"rate": "0.1"}}, "model"),
        ({"model": "percentage", "tiers": {"rate": "-0.1"}}, "tiers.rate"),
        ({"model": "percentage", "tiers": {}}, "tiers.rate"),
        ({"model": "percentage", "tiers": [1]}, "tiers"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_bad_charge_is_refused_and_changes_nothing(api, method, price, field):
    metric = api.metric()
    plan = api.plan(flat(metric))
    path = "/v1/plans" if method == "POST" else f"/v1/plans/{plan['id']}"
    body = {"name": "Other", "prices": [flat(metric), flat(metric, **price)]}

    refused = api.http.request(method, path, json=body)

    assert (refused.status_code, list(refused.json()["details"])) == (400, [f"prices[1].{field}"])
    assert api.get("/v1/plans").json()["plans"] == [plan]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"base_fee": "-1"}, "base_fee"),
        ({"base_fee": "0.0000001"}, "base_fee"),
        ({"base_fee": "lots"}, "base_fee"),
        ({"base_fee": True}, "base_fee"),
        ({"base_fee": []}, "base_fee"),
        ({"base_fee": "1000000000000000000"}, "base_fee"),
        ({"base_fee_timing": "sometime"}, "base_fee_timing"),
        ({"base_fee_timing": 1}, "base_fee_timing"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_bad_base_fee_is_refused_and_changes_nothing(api, method, sent, field):
    plan = api.plan()
    path = "/v1/plans" if method == "POST" else f"/v1/plans/{plan['id']}"

    refused = api.http.request(method, path, json={"name": "Other", **sent})

    assert (refused.status_code, list(refused.json()["details"])) == (400, [field])
    assert api.get("/v1/plans").json()["plans"] == [plan]


@pytest.mark.parametrize("apply_to", ["everybody", 1, []])
def test_an_unknown_apply_to_is_refused(api, apply_to):
    refused = api.put(f"/v1/plans/{api.plan()['id']}", json={"apply_to": apply_to})

    assert (refused.status_code, list(refused.json()["details"])) == (400, ["apply_to"])


@pytest.mark.parametrize("unset", [None, ""])
def test_without_a_base_fee_a_plan_has_none_and_is_paid_in_arrears(api, unset):
    plan = api.plan(base_fee=unset, base_fee_timing=unset)

    assert (plan["base_fee"], plan["base_fee_timing"], plan["revision"]) == (
        "0.000000",
        "in_arrears",
        1,
    )


def test_a_plan_begins_with_a_revision_that_always_applies(api):
    plan = api.plan(flat(api.metric()), base_fee="50", base_fee_timing="in_advance")

    revisions = revisions_of(api, plan)

    assert revisions == {
        "revisions": [
            {
                "revision": 1,
                "apply_to": "all",
                "effective_at": None,
                "base_fee": "50.000000",
                "base_fee_timing": "in_advance",
                "prices": plan["prices"],
                "payout_rules": [],
                "created_at": plan["created_at"],
            }
        ],
        "count": 1,
        "total": 1,
        "has_more": False,
    }


@pytest.mark.parametrize(
    ("edit", "base_fee", "timing"),
    [
        ({"base_fee": "60"}, "60.000000", "in_arrears"),
        ({"base_fee_timing": "in_advance"}, "50.000000", "in_advance"),
        ({"base_fee": 0, "base_fee_timing": "in_advance"}, "0.000000", "in_advance"),
        ({"prices": []}, "50.000000", "in_arrears"),
    ],
)
@pytest.mark.parametrize("apply_to", ["all", "next_period", "new"])
def test_an_edit_makes_a_revision_that_says_whom_it_applies_to(
    api, edit, base_fee, timing, apply_to
):
    plan = api.plan(flat(api.metric()), base_fee="50")

    changed = put(api, plan, apply_to=apply_to, **edit)

    latest = revisions_of(api, plan)["revisions"][0]
    assert (changed["revision"], changed["base_fee"], changed["base_fee_timing"]) == (
        2,
        base_fee,
        timing,
    )
    assert (latest["revision"], latest["apply_to"], latest["prices"]) == (
        2,
        apply_to,
        changed["prices"],
    )
    assert latest["effective_at"] == latest["created_at"] == changed["updated_at"]


@pytest.mark.parametrize("unset", [None, ""])
def test_an_edit_that_does_not_say_whom_it_applies_to_applies_to_all(api, unset):
    plan = api.plan()

    put(api, plan, base_fee="1", apply_to=unset)

    assert told(revisions_of(api, plan), "revision", "apply_to") == [(2, "all"), (1, "all")]


def test_an_edit_of_neither_prices_nor_base_fee_makes_no_revision(api):
    plan = api.plan(flat(api.metric(), flat_fee="1"), base_fee="50")

    put(api, plan, name="Renamed", apply_to="new")
    put(api, plan, **plan)

    assert told(revisions_of(api, plan), "revision") == [(1,)]


@pytest.mark.parametrize(
    "change",
    [{"flat_fee": "1"}, {"minimum_amount": "0"}, {"maximum_amount": "9"}, {"unit_price": "3"}],
)
def test_each_part_of_a_charge_is_revised(api, change):
    plan = api.plan(flat(api.metric()))
    price = plan["prices"][0]

    changed = put(api, plan, prices=[{**price, **change}])

    assert (changed["revision"], changed["prices"][0]["revision"]) == (2, 2)
    assert revisions_of(api, plan)["revisions"][1]["prices"] == [price]


def test_each_revision_tells_the_price_list_as_it_stood(api):
    metric = api.metric()
    plan = api.plan(flat(metric, "1"), flat(metric, "2"))
    one, two = plan["prices"]
    swapped = put(api, plan, prices=[two, flat(metric, "7"), {**one, "unit_price": "3"}])
    fewer = put(api, plan, prices=[swapped["prices"][1]])

    revisions = revisions_of(api, plan)["revisions"]

    assert [revision["prices"] for revision in revisions] == [
        fewer["prices"],
        swapped["prices"],
        plan["prices"],
    ]
    assert [shapes.differences(revision, shapes.PLAN_REVISION) for revision in revisions] == [
        {},
        {},
        {},
    ]


def test_revisions_are_paged_newest_first(api):
    plan = api.plan()
    put(api, plan, base_fee="1")
    put(api, plan, base_fee="2")

    page = revisions_of(api, plan, limit=1, offset=1)

    assert told(page, "revision", "base_fee") == [(2, "1.000000")]
    assert (page["count"], page["total"], page["has_more"]) == (1, 3, True)


def test_a_deleted_plans_revisions_are_unknown(api):
    plan = api.plan()
    api.delete(f"/v1/plans/{plan['id']}")

    answers = [
        api.get(f"/v1/plans/{plan_id}/revisions").status_code for plan_id in (plan["id"], uuid4())
    ]

    assert answers == [404, 404]


def test_edits_at_the_same_time_make_one_revision_each(api, backend):
    plan = api.plan()

    def edit():
        return api.put(f"/v1/plans/{plan['id']}", json={"base_fee": "2", "apply_to": "new"})

    with hanging(backend, edit, LOCKED_PLAN, plan["id"]) as answers:
        pass

    assert [answer.json()["plan"]["revision"] for answer in answers] == [2]
    assert told(revisions_of(api, plan), "revision") == [(2,), (1,)]


@pytest.mark.parametrize("aggregation", ["count", "max", "minimum", "average", "unique"])
def test_a_metric_stays_a_sum_while_a_percentage_is_taken_of_it(api, aggregation):
    metric = sum_metric(api)
    plan = api.plan(percentage(metric), name="Card payments")

    refused = api.put(f"/v1/metrics/{metric['id']}", json={"aggregation": aggregation})
    put(api, plan, prices=[])
    allowed = api.put(f"/v1/metrics/{metric['id']}", json={"aggregation": aggregation})

    assert (refused.status_code, list(refused.json()["details"])) == (400, ["aggregation"])
    assert "Card payments" in refused.json()["details"]["aggregation"]
    assert allowed.status_code == 200


def test_other_edits_of_a_metric_that_a_percentage_is_taken_of_are_free(api):
    metric = sum_metric(api)
    api.plan(percentage(metric))

    edited = api.put(f"/v1/metrics/{metric['id']}", json={"aggregation_property": "fee"})

    assert edited.status_code == 200


REVISION = (
    "INSERT INTO plan_revisions SELECT (jsonb_populate_record(known, $2::text::jsonb)).*"
    " FROM plan_revisions AS known WHERE plan_id = $1"
)
PRICE_REVISION = (
    "INSERT INTO price_revisions SELECT (jsonb_populate_record(known, $2::text::jsonb)).*"
    " FROM price_revisions AS known WHERE plan_id = $1"
)


@pytest.mark.parametrize(
    ("statement", "change", "constraint"),
    [
        (REVISION, '{"revision": 0}', "plan_revisions_count_from_one"),
        (REVISION, '{"revision": 2}', "plan_revisions_first_always_applies"),
        (REVISION, '{"apply_to": "new"}', "plan_revisions_first_always_applies"),
        (REVISION, '{"base_fee": -1}', "plan_revisions_base_fee_not_negative"),
        (REVISION, '{"base_fee_timing": "later"}', "plan_revisions_base_fee_timing_known"),
        (REVISION, '{"revision": 1}', "plan_revisions_pkey"),
        (PRICE_REVISION, '{"revision": 2}', "price_revisions_once_per_plan_revision"),
        (PRICE_REVISION, '{"flat_fee": -1}', "price_revisions_amounts_not_negative"),
        (PRICE_REVISION, '{"minimum_amount": -1}', "price_revisions_amounts_not_negative"),
        (
            PRICE_REVISION,
            '{"minimum_amount": 2, "maximum_amount": 1}',
            "price_revisions_maximum_from_minimum",
        ),
        (
            PRICE_REVISION,
            '{"revision": 2, "plan_revision": 2}',
            "price_revisions_plan_revision_fkey",
        ),
    ],
)
def test_the_database_refuses_revisions_that_mean_nothing(api, statement, change, constraint):
    plan = api.plan(flat(api.metric()))

    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as caught:
        api.backend.sql(statement, plan["id"], change)

    assert caught.value.constraint_name == constraint


async def history_of(api, plan):
    async with api.backend.services.database.transaction(api.tenant) as tx:
        return await catalog.get_history(tx, plan["id"])


def test_a_history_is_what_the_api_tells(api):
    plan = api.plan(flat(api.metric()), base_fee="5")
    changed = put(api, plan, base_fee="6", prices=[], apply_to="next_period")

    history = api.backend.run(history_of(api, plan))

    first, second = history.revisions
    assert (first.effective_at, second.effective_at) == (
        catalog.BEGINNING,
        datetime.fromisoformat(changed["updated_at"]),
    )
    assert (first.base_fee.amount, second.base_fee.amount) == (5, 6)
    assert [(known.plan_revision, known.removed) for known in history.price_revisions] == [
        (1, False),
        (2, True),
    ]
