"""`GET /v1/payout-rules/unmatched`: whom events name who is not paid, and why."""

from support.api import Api
from support.metering import fold
from support.payout_rules import RIDE, attribute, paying_plan, ride, run_replays

PATH = "/v1/payout-rules/unmatched"


def unmatched(api, **params):
    return api.get(PATH, params=params).json()["unmatched"]


def told(api):
    return sorted(
        (one["reason"], one["recipient"], one["amount"], one["event_count"], one["last_event_key"])
        for one in unmatched(api)
    )


def test_each_reason_is_listed_with_what_it_comes_to(api):
    api.customer("c1")
    known = api.customer("d2")
    plan = paying_plan(api, {**RIDE, "amount_expression": "fare / if(share > 0, share, 0)"})
    share = {"share": 2}
    api.ingest(
        ride("1", properties={"driver": "d1", "fare": 10, **share}),
        ride("2", properties={"driver": "d1", "fare": 20, **share}),
        ride("3", properties={"driver": known["id"], "fare": 30, **share}),
        ride("4", properties={"fare": 10, **share}),
        ride("5", properties={"driver": "", "fare": 10, **share}),
        ride("6", properties={"driver": ["d1"], "fare": 10, **share}),
        ride("7", properties={"driver": 77, "fare": "12.5", **share}),
        ride("8", properties={"driver": "d1", **share}),
        ride("9", properties={"driver": "d2", "fare": "much", **share}),
        ride("10", properties={"driver": "d2", "fare": 1, "share": 0}),
        ride("11", properties={"driver": "d2", "fare": 10**17, "share": "0.001"}),
        ride("12", properties={"driver": "x" * 256, "fare": 1, **share}),
    )
    fold(api)

    assert told(api) == [
        ("division_by_zero", "", "0.000000", 1, "10"),
        ("no_subscription", "", "15.000000", 1, "3"),
        ("not_a_number", "", "0.000000", 1, "9"),
        ("property_missing", "d1", "0.000000", 1, "8"),
        ("recipient_missing", "", "0.000000", 4, "12"),
        ("too_large", "", "0.000000", 1, "11"),
        ("unknown_recipient", "77", "6.250000", 1, "7"),
        ("unknown_recipient", "d1", "15.000000", 2, "2"),
    ]
    (row,) = [one for one in unmatched(api) if one["reason"] == "no_subscription"]
    assert row["customer_id"] == known["id"]
    assert row["rule_id"] == plan["payout_rules"][0]["id"]
    assert (row["plan_id"], row["currency"]) == (plan["id"], "NGN")


def test_a_row_goes_as_its_recipient_subscribes(api):
    api.customer("c1")
    plan = paying_plan(api)
    api.ingest(ride("1", "d1"), ride("2", "d2"))
    fold(api)

    api.customer("d1")
    api.subscribe("d1", plan["id"])
    attribute(api)

    assert [one["recipient"] for one in unmatched(api)] == ["d2"]


def test_a_customer_who_takes_the_name_of_a_recipient_gets_what_waits(api):
    api.customer("c1")
    plan = paying_plan(api)
    api.customer("old")
    api.subscribe("old", plan["id"])
    api.ingest(ride("1", "new"))
    fold(api)

    api.put("/v1/customers/old", json={"external_id": "new"})
    attribute(api)

    assert unmatched(api) == []
    (rollup,) = api.get("/v1/usage", params={"customer_id": "new"}).json()["rollups"]
    assert rollup["value"] == 80


def test_an_edited_rule_lists_its_events_once(api):
    api.customer("c1")
    plan = paying_plan(api)
    api.ingest(ride("1", "d1"))
    fold(api)
    rule = {**plan["payout_rules"][0], "amount_expression": "fare"}

    api.put(f"/v1/plans/{plan['id']}", json={"payout_rules": [rule]})
    run_replays(api)

    assert told(api) == [("unknown_recipient", "d1", "100.000000", 1, "1")]


def test_pages_are_of_rows(api):
    api.customer("c1")
    paying_plan(api)
    api.ingest(ride("1", "d1"), ride("2", "d2"), ride("3", "d3"))
    fold(api)

    answer = api.get(PATH, params={"limit": 2}).json()

    assert (answer["count"], answer["total"], answer["has_more"]) == (2, 3, True)
    assert [one["recipient"] for one in unmatched(api, offset=2)] == [
        min(one["recipient"] for one in unmatched(api) if one not in answer["unmatched"])
    ]


def test_another_tenant_sees_nothing_of_it(api, backend):
    api.customer("c1")
    paying_plan(api)
    api.ingest(ride("1", "d1"))
    fold(api)

    with Api.of(backend, api.org_id, is_test=False) as live:
        assert unmatched(live) == []
