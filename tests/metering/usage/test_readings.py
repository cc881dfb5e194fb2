"""What a reading makes of buckets and of what is not folded yet: plain examples."""

import pytest

from support.api import event
from support.metering import fold, trust_buckets

# The buckets again, under a version by which the metric counted once.
PLANT = """
    INSERT INTO {table}
    SELECT (jsonb_populate_record(bucket, '{{"metric_version": 99}}')).* FROM {table} AS bucket
    WHERE org_id = $1
"""


def value(api, metric):
    (rollup,) = api.get("/v1/usage", params={"metric_id": metric["id"]}).json()["rollups"]
    return rollup["value"]


def counting(api, **definition):
    """A metric over `call` whose buckets are whole from the first event on."""
    api.customer()
    metric = api.metric("call", **definition)
    trust_buckets(api, [metric["id"]])
    return metric


@pytest.mark.parametrize(
    ("aggregation", "folded", "waiting", "expected"),
    [
        ("minimum", (7, 3), (9, 4), 3),
        ("minimum", (9, 4), (7, 3), 3),
        ("max", (7, 3), (9, 4), 9),
        ("max", (9, 4), (7, 3), 9),
        ("sum", (7, 3), (9, 4), 23),
        ("average", (7, 3), (9, 4), 5.75),
    ],
)
def test_buckets_and_what_is_not_folded_yet_are_one_quantity(
    api, aggregation, folded, waiting, expected
):
    metric = counting(api, aggregation=aggregation, aggregation_property="n")
    api.ingest(*(event(f"f{n}", name="call", properties={"n": n}) for n in folded))
    fold(api)

    api.ingest(*(event(f"w{n}", name="call", properties={"n": n}) for n in waiting))

    assert value(api, metric) == expected


@pytest.mark.parametrize("group_by", ["", "model"])
def test_buckets_of_another_version_of_a_metric_do_not_count(api, group_by):
    metric = counting(api, group_by=group_by)
    api.ingest(*(event(f"e{n}", name="call", properties={"model": "a"}) for n in range(3)))
    fold(api)
    before = value(api, metric)

    for table in ("usage_hours", "usage_days"):
        api.backend.sql(PLANT.format(table=table), api.org_id)

    assert (before, value(api, metric)) == (3, 3)
