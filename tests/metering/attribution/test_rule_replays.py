"""Replays of payout rules, while other rules are replayed, made and ended."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from monigo import metering
from monigo.infra.queue import TryLaterError
from monigo.metering import StepSize
from support.clock import STARTS_AT
from support.jobs import run_replay
from support.metering import differences, fold
from support.payout_rules import paying_plan, ride, run_replays

RIDERS = 6
WORTH = """
    SELECT sum(amount) AS amount, count(*) AS events FROM attributed_amounts
    WHERE org_id = $1 AND metric_id = $2
"""


def before(**duration):
    return (STARTS_AT - timedelta(**duration)).isoformat()


def worth(api, metric_id):
    (row,) = api.backend.sql(WORTH, api.org_id, metric_id)
    return row["amount"], row["events"]


def edit(api, plan, expression):
    rule = {**plan["payout_rules"][0], "amount_expression": expression}
    answer = api.put(f"/v1/plans/{plan['id']}", json={"payout_rules": [rule]})
    assert answer.status_code == 200, answer.text
    return answer.json()["plan"]["payout_rules"][0]["metric_id"]


def replay_of(api, metric_id):
    jobs = api.get("/v1/events/replay").json()["jobs"]
    return next(job for job in jobs if job["metric_id"] == metric_id)


def run_when_free(api, job_id):
    """Take a replay to its end, once no other one is under way."""
    small = StepSize(events_max=2, customers_max=1)
    while True:
        try:
            return run_replay(api, job_id, size=small)
        except TryLaterError:
            continue


@pytest.fixture
def stored(api):
    """Six riders with an old ride each, folded before there is a rule; a driver is paid for all."""
    api.customer("d1")
    for number in range(RIDERS):
        api.customer(f"r{number}")
        api.ingest(ride(str(number), rider=f"r{number}", timestamp=before(days=1)))
    fold(api)
    return api


def test_a_rule_that_ends_between_two_steps_is_worked_out_up_to_its_end(stored):
    plan = paying_plan(stored, run=False)
    old = plan["payout_rules"][0]["metric_id"]
    job = replay_of(stored, old)
    database = stored.backend.services.database

    async def one_step():
        async with database.transaction(stored.tenant) as tx:
            await metering.begin_replay(tx, job["id"])
        async with database.transaction(stored.tenant) as tx:
            await metering.replay_some(tx, job["id"], StepSize(events_max=1, customers_max=2))

    stored.backend.run(one_step())
    partly = worth(stored, old)[1]
    stored.backend.clock.advance(seconds=10)
    new = edit(stored, plan, "fare")
    stored.backend.clock.advance(seconds=10)
    stored.ingest(ride("later", rider="r5"))
    fold(stored)
    run_replay(stored, job["id"])
    run_replays(stored)

    assert partly < RIDERS
    assert worth(stored, old) == (80 * RIDERS, RIDERS)
    assert worth(stored, new) == (100 * (RIDERS + 1), RIDERS + 1)
    assert replay_of(stored, old)["status"] == replay_of(stored, new)["status"] == "completed"
    assert differences(stored) == []


def test_a_rule_that_ended_is_not_worked_out_beyond_its_end(stored):
    plan = paying_plan(stored, run=False)
    old = plan["payout_rules"][0]["metric_id"]
    stored.backend.clock.advance(seconds=10)
    edit(stored, plan, "fare")
    stored.backend.clock.advance(seconds=10)
    stored.ingest(ride("later", rider="r0"))
    fold(stored)

    run_replay(stored, replay_of(stored, old)["id"])

    assert worth(stored, old) == (80 * RIDERS, RIDERS)


def test_replays_folds_and_an_edit_at_once_work_out_each_event_once(stored):
    plan = paying_plan(stored, run=False)
    other = paying_plan(stored, run=False, name="Other")
    for number in range(30):
        stored.ingest(ride(f"more-{number}", rider=f"r{number % 6}", timestamp=before(hours=1)))
    replays = [replay_of(stored, one["payout_rules"][0]["metric_id"]) for one in (plan, other)]

    with ThreadPoolExecutor() as pool:
        others = [
            *(pool.submit(run_when_free, stored, job["id"]) for job in replays),
            *(pool.submit(fold, stored) for _ in range(2)),
        ]
        new = pool.submit(edit, stored, plan, "fare").result()
    run_replays(stored)

    count = RIDERS + 30
    assert [one.exception() for one in others] == [None] * 4
    assert worth(stored, plan["payout_rules"][0]["metric_id"]) == (80 * count, count)
    assert worth(stored, other["payout_rules"][0]["metric_id"]) == (80 * count, count)
    assert worth(stored, new) == (100 * count, count)
    assert differences(stored) == []
