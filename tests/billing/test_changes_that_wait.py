"""Changes that waited for a lock while somebody else closed a period, or took the same time."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from monigo import invoicing, metering, subscriptions
from monigo.bootstrap import REGISTRY
from monigo.core.errors import DomainError
from monigo.core.periods import BillingAnchor
from monigo.core.times import format_instant
from monigo.infra import agenda
from monigo.infra.db import Database
from monigo.subscriptions import NewSubscription, store
from support.agenda import do
from support.api import event
from support.clock import AdjustableClock
from support.locks import hanging
from support.verification import faults
from support.wallets import balance

PATH = "/v1/subscriptions"
# The end of a daily plan's first period, for tests begin at noon; and of the next one.
MIDNIGHT = datetime(2026, 6, 17, tzinfo=UTC)
NEXT = MIDNIGHT + timedelta(days=1)
LOCKED_CUSTOMER = "SELECT 1 FROM customers WHERE org_id = $1 AND external_id = $2 FOR UPDATE"


@pytest.fixture(autouse=True)
def verified(api, backend):
    """Each of these stories ends with nothing billable twice, forgotten, or paid for nothing."""
    yield
    assert faults(backend, api.tenant) == []


def daily(api, metric, **fields):
    price = {"metric_id": metric["id"], "model": "flat_unit", "unit_price": "1"}
    return api.plan(price, billing_period="daily", **fields)["id"]


async def late(backend, api, change):
    """Make a change whose transaction began before another clock's worker closed the period."""
    clock = AdjustableClock(backend.clock.ahead + timedelta(hours=13))
    ahead = await Database.connect(backend.app_url, clock=clock, pool_size=2, registry=REGISTRY)
    try:
        async with backend.services.database.transaction(api.tenant) as tx:
            for task in (invoicing.CLOSE, invoicing.CHARGE):
                await agenda.work_off(ahead, task, api.tenant)
            await change(tx)
    finally:
        await ahead.close()


def close_all(backend, api):
    database = backend.services.database
    backend.run(metering.fold_all(database))
    do(api, invoicing.CLOSE)


def cancel(tx, known, _other):
    return invoicing.cancel_subscription(tx, known)


def delete(tx, known, _other):
    return invoicing.delete_subscription(tx, known)


def flag(tx, known, _other):
    return invoicing.schedule_cancel(tx, known, wanted=True)


def change_plan(tx, known, other):
    return invoicing.change_plan(tx, known, other)


def schedule(tx, known, other):
    return invoicing.schedule_plan_change(tx, known, other)


def pause(tx, known, _other):
    return subscriptions.pause(tx, known)


# Each change, and from when on the subscription is as it asks for.
CHANGES = {
    cancel: ("canceled_at", MIDNIGHT),
    delete: ("canceled_at", MIDNIGHT),
    flag: ("cancel_at", NEXT),
    change_plan: ("phase_started_at", MIDNIGHT),
    schedule: ("scheduled_at", NEXT),
    pause: ("paused_at", MIDNIGHT),
}
STATE = """
    SELECT *, (
        SELECT started_at FROM subscription_pauses WHERE subscription_id = known.id
    ) AS paused_at
    FROM subscriptions AS known WHERE id = $1
"""


@pytest.mark.parametrize("billing_mode", ["postpaid", "realtime"])
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_that_waited_while_a_period_was_closed_leaves_it_whole(
    api, backend, change, billing_mode
):
    api.customer()
    metric = api.metric()
    plan, other = daily(api, metric, billing_mode=billing_mode), daily(api, metric)
    wallet = api.wallet(funds="100")
    subscription = api.subscribe("c1", plan)
    api.ingest(event("first"), event("second"))
    backend.run(metering.fold_all(backend.services.database))
    known = UUID(subscription["id"])

    backend.run(late(backend, api, lambda tx: change(tx, known, UUID(other))))

    (row,) = backend.sql(STATE, known)
    column, instant = CHANGES[change]
    assert (row["closed_until"], row[column]) == (MIDNIGHT, instant)
    backend.clock.advance(days=3)
    close_all(backend, api)
    billed = [
        (one["period_start"], one["period_end"], one["total"])
        for one in api.get("/v1/invoices").json()["invoices"]
        if one["total"] != "0.000000"
    ]
    assert billed == [(subscription["start_date"], format_instant(MIDNIGHT), "2.000000")]
    assert balance(api, wallet) == ("98" if billing_mode == "realtime" else "100")


def test_what_a_worker_ahead_charged_for_the_next_period_goes_back(api, backend):
    api.customer()
    fee = {"base_fee": "5", "base_fee_timing": "in_advance"}
    plan = daily(api, api.metric(), billing_mode="realtime", **fee)
    wallet = api.wallet(funds="100")
    subscription = api.subscribe("c1", plan, trial_period_days=1, start_date="2026-06-16T00:00:00Z")
    charged = []
    charges = "SELECT charged FROM realtime_charges WHERE org_id = $1"

    async def cancel_after_all(tx):
        charged.extend(await tx.connection.fetch(charges, api.org_id))
        await invoicing.cancel_subscription(tx, UUID(subscription["id"]))

    backend.run(late(backend, api, cancel_after_all))

    assert [row["charged"] for row in charged] == [5]
    assert balance(api, wallet) == "100"


def test_an_end_before_a_start_that_lies_ahead_names_the_end(api, backend):
    api.customer()
    plan = daily(api, api.metric())
    first = api.subscribe("c1", plan)
    backend.clock.advance(minutes=2)
    api.patch(f"{PATH}/{first['id']}", json={"status": "canceled"})
    backend.clock.advance(minutes=-2)
    ends_at = format_instant(backend.clock.now() + timedelta(minutes=1))

    refused = api.post(PATH, json={"customer_id": "c1", "plan_id": plan, "end_date": ends_at})

    assert refused.status_code == 400, refused.text
    assert list(refused.json()["details"]) == ["end_date"]
    assert api.get(PATH).json()["total"] == 1
    backend.clock.advance(minutes=2)


def test_the_constraint_on_the_end_is_told_as_bad_input(api, backend):
    api.customer()
    plan = daily(api, api.metric())

    async def insert():
        async with backend.services.database.transaction(api.tenant) as tx:
            wanted = NewSubscription("c1", plan, BillingAnchor.SUBSCRIPTION_START, None, None)
            known = await subscriptions.create(tx, wanted)
            await subscriptions.cancel(tx, known, tx.now)
            await store.insert(tx, replace(known, end_date=known.start_date))

    with pytest.raises(DomainError) as refused:
        backend.run(insert())

    assert list(refused.value.fields) == ["end_date"]


@pytest.mark.parametrize("first", ["resume", "start"])
def test_of_a_resumption_and_a_start_at_once_one_is_refused(api, backend, first):
    api.customer()
    plan = daily(api, api.metric())
    paused = api.subscribe("c1", plan)
    api.patch(f"{PATH}/{paused['id']}", json={"status": "paused"})

    def resume():
        return api.patch(f"{PATH}/{paused['id']}", json={"status": "active"})

    def start():
        return api.post(PATH, json={"customer_id": "c1", "plan_id": plan})

    asked = [resume, start] if first == "resume" else [start, resume]
    with (
        ThreadPoolExecutor(1) as pool,
        hanging(backend, asked[0], LOCKED_CUSTOMER, api.org_id, "c1") as answers,
    ):
        second = pool.submit(asked[1])
        asyncio.run(asyncio.sleep(0.1))
    statuses = sorted([answers[0].status_code, second.result().status_code])

    assert statuses in ([200, 409], [201, 409])
    listed = api.get(PATH, params={"status": "active"}).json()
    assert listed["total"] == 1
