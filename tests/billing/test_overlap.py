"""No instant of a customer's usage belongs to two subscriptions of one plan type."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import asyncpg
import pytest

from monigo import invoicing, metering, subscriptions
from monigo.core.errors import DomainError
from monigo.subscriptions.stretches import store as stretch_store
from support.agenda import do
from support.api import event
from support.verification import faults

JANUARY = "2027-01-01T00:00:00Z"
FIFTH, TENTH, TWENTIETH = (f"2027-01-{day}T00:00:00Z" for day in ("05", "10", "20"))
PATH = "/v1/subscriptions"
_keys = (f"call-{number}" for number in itertools.count(1))


@pytest.fixture(autouse=True)
def verified(api, backend):
    """Each of these stories ends with stretches that are what subscriptions and pauses say."""
    yield
    assert faults(backend, api.tenant) == []


@pytest.fixture
def plans(api, clock):
    """Two plans of 2 and of 3 a call, and a customer; the clock is at the first of January."""
    clock(JANUARY)
    api.customer()
    metric = api.metric()["id"]
    return [
        api.plan({"metric_id": metric, "model": "flat_unit", "unit_price": price})["id"]
        for price in ("2", "3")
    ]


def call(api, count=10):
    api.ingest(*(event(next(_keys)) for _ in range(count)))


def change(api, subscription, **body):
    answer = api.patch(f"{PATH}/{subscription['id']}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["subscription"]


def ask(api, plan, **fields):
    return api.post(PATH, json={"customer_id": "c1", "plan_id": plan, **fields})


def stretches(api):
    rows = api.backend.sql(
        "SELECT started_at, ended_at FROM subscription_stretches WHERE org_id = $1"
        " ORDER BY started_at",
        api.org_id,
    )
    return [(day(row["started_at"]), day(row["ended_at"])) for row in rows]


def day(instant):
    return instant and f"{instant:%d %b}"


def total(api):
    return sum(float(item["total"]) for item in api.get("/v1/invoices").json()["invoices"])


def refused_until(response, instant):
    told = response.json()
    return (
        response.status_code == 409
        and told["error"].endswith(f"up to {instant}")
        and instant in told["details"]["start_date"]
    )


def test_usage_of_one_that_was_canceled_is_not_billed_again(api, clock, plans):
    first = api.subscribe("c1", plans[0])
    clock(FIFTH)
    call(api)
    clock(TENTH)
    change(api, first, status="canceled")

    refused = ask(api, plans[1], start_date=JANUARY)
    clock("2027-03-01T00:00:00Z")

    assert refused_until(refused, TENTH), refused.text
    assert total(api) == 20
    assert stretches(api) == [("01 Jan", "10 Jan")]


@pytest.mark.usefixtures("plans")
def test_usage_of_a_realtime_one_is_not_charged_again(api, backend, clock):
    metric = api.metric("ping")["id"]
    realtime = [
        api.plan(
            {"metric_id": metric, "model": "flat_unit", "unit_price": "10"},
            billing_mode="realtime",
        )["id"]
        for _ in range(2)
    ]
    wallet = api.wallet("c1", funds="1000")
    first = api.subscribe("c1", realtime[0])
    clock(FIFTH)
    api.ingest(*(event(next(_keys), name="ping") for _ in range(10)))
    clock(TENTH)
    change(api, first, status="canceled")

    refused = ask(api, realtime[1], start_date=JANUARY)
    backend.run(metering.fold_all(backend.services.database))
    do(api, invoicing.CHARGE)

    balance = api.get(f"/v1/wallets/{wallet['id']}").json()["wallet"]["balance"]
    assert refused_until(refused, TENTH), refused.text
    assert balance == "900.000000"


def test_one_that_the_merchant_paused_keeps_what_it_had(api, clock, plans):
    first = api.subscribe("c1", plans[0])
    clock(FIFTH)
    call(api)
    clock(TENTH)
    change(api, first, status="paused")
    clock(TWENTIETH)

    refused = ask(api, plans[1], start_date=JANUARY)
    just_before = ask(api, plans[1], start_date="2027-01-09T23:59:59.999999Z")
    taken = ask(api, plans[1], start_date=TENTH)

    assert refused_until(refused, TENTH), refused.text
    assert refused_until(just_before, TENTH), just_before.text
    assert taken.status_code == 201, taken.text
    assert stretches(api) == [("01 Jan", "10 Jan"), ("10 Jan", None)]


def test_a_pause_that_is_over_has_an_end(api, clock, plans):
    first = api.subscribe("c1", plans[0])
    clock(FIFTH)
    change(api, first, status="paused")
    clock(TENTH)
    change(api, first, status="active")
    clock(TWENTIETH)
    change(api, first, status="canceled")

    refused = ask(api, plans[1], start_date=FIFTH)

    assert refused_until(refused, TWENTIETH), refused.text
    assert stretches(api) == [("01 Jan", "05 Jan"), ("10 Jan", "20 Jan")]


def test_the_paused_one_goes_on_once_the_other_is_gone(api, clock, plans):
    first = api.subscribe("c1", plans[0])
    clock(FIFTH)
    change(api, first, status="paused")
    clock(TENTH)
    second = api.subscribe("c1", plans[1], start_date=FIFTH)
    call(api)
    in_its_place = api.patch(f"{PATH}/{first['id']}", json={"status": "active"})
    clock(TWENTIETH)
    change(api, second, status="canceled")

    change(api, first, status="active")
    call(api, 1)
    clock("2027-02-01T00:00:00Z")

    assert in_its_place.status_code == 409
    assert stretches(api) == [("01 Jan", "05 Jan"), ("05 Jan", "20 Jan"), ("20 Jan", None)]
    assert total(api) == 30 + 2


@pytest.mark.parametrize("trial", [0, 5])
def test_a_deleted_one_keeps_what_it_had_even_a_trial(api, clock, plans, trial):
    first = api.subscribe("c1", plans[0], trial_period_days=trial)
    clock(FIFTH)
    api.delete(f"{PATH}/{first['id']}")
    clock(TENTH)

    refused = ask(api, plans[1], start_date="2027-01-02T00:00:00Z")

    assert refused_until(refused, FIFTH), refused.text
    assert ask(api, plans[1], start_date=FIFTH).status_code == 201


def test_a_period_that_was_waived_is_taken_all_the_same(api, clock, plans):
    first = api.subscribe("c1", plans[0])
    call(api)
    clock(TENTH)
    change(api, first, status="canceled")
    (invoice,) = api.get("/v1/invoices").json()["invoices"]
    api.post(f"/v1/invoices/{invoice['id']}/void")

    assert refused_until(ask(api, plans[1], start_date=JANUARY), TENTH)


def test_one_that_is_canceled_in_a_pause_ends_where_it_was_paused(api, clock, plans):
    first = api.subscribe("c1", plans[0])
    clock(FIFTH)
    change(api, first, status="paused")
    clock(TENTH)
    change(api, first, status="canceled")

    assert stretches(api) == [("01 Jan", "05 Jan")]
    assert ask(api, plans[1], start_date=FIFTH).status_code == 201


def test_pauses_in_one_moment_leave_no_time_twice(api, clock, plans):
    first = api.subscribe("c1", plans[0])
    clock(TENTH)
    for status in ("paused", "active", "paused", "active", "paused"):
        change(api, first, status=status)
    second = api.subscribe("c1", plans[1])
    change(api, second, status="canceled")
    change(api, first, status="active")
    call(api, 1)
    clock("2027-02-01T00:00:00Z")

    assert second["start_date"] == TENTH
    assert stretches(api) == [("01 Jan", "10 Jan"), ("10 Jan", None)]
    assert total(api) == 2


def test_one_that_is_made_and_ended_in_one_moment_takes_nothing(api, plans):
    first = api.subscribe("c1", plans[0])
    change(api, first, status="canceled")

    assert stretches(api) == []
    assert api.subscribe("c1", plans[1])["start_date"] == JANUARY


def test_a_change_of_plan_takes_no_time_from_it(api, clock, plans):
    first = api.subscribe("c1", plans[0])
    clock(FIFTH)
    change(api, first, plan_id=plans[1])
    clock(TENTH)
    change(api, first, status="canceled")

    assert refused_until(ask(api, plans[0], start_date=FIFTH), TENTH)
    assert stretches(api) == [("01 Jan", "10 Jan")]


def test_one_that_is_to_begin_later_takes_its_time_from_then_on(api, clock, plans):
    first = api.subscribe("c1", plans[0], start_date=TWENTIETH)
    change(api, first, status="paused")
    paused = stretches(api)
    clock(FIFTH)
    second = api.subscribe("c1", plans[1])
    clock(TENTH)
    change(api, second, status="canceled")
    change(api, first, status="active")

    assert paused == []
    assert stretches(api) == [("05 Jan", "10 Jan"), ("20 Jan", None)]


def test_an_end_date_bounds_what_is_taken(api, clock, plans):
    api.subscribe("c1", plans[0], end_date=TENTH)
    beside = ask(api, plans[1], start_date=TENTH)
    at_its_end = stretches(api)
    clock(TWENTIETH)

    refused = ask(api, plans[1], start_date=FIFTH)

    assert (beside.status_code, "active subscription" in beside.json()["error"]) == (409, True)
    assert at_its_end == [("01 Jan", "10 Jan")]
    assert refused_until(refused, TENTH), refused.text
    assert ask(api, plans[1], start_date=TENTH).status_code == 201


def test_a_pause_for_balance_ends_in_the_moment_in_which_it_began(api, backend, clock, plans):
    metric = api.metric("ping")["id"]
    price = {"metric_id": metric, "model": "flat_unit", "unit_price": "100"}
    realtime = api.plan(price, billing_mode="realtime")["id"]
    wallet = api.wallet("c1", funds="50")
    first = api.subscribe("c1", realtime)
    clock(FIFTH)
    api.ingest(event(next(_keys), name="ping"))
    backend.run(metering.fold_all(backend.services.database))
    do(api, invoicing.CHARGE)
    short = api.get(f"{PATH}/{first['id']}").json()["subscription"]["status"]
    api.move(wallet, "credit", "500", "deposit")
    resumed = change(api, first, status="active")["status"]
    clock(TENTH)
    change(api, first, status="canceled")

    assert (short, resumed) == ("paused", "active")
    assert refused_until(ask(api, plans[1], start_date=FIFTH), TENTH)
    assert stretches(api) == [("01 Jan", "05 Jan"), ("05 Jan", "10 Jan")]


def test_prepaid_ones_take_their_time_too(api, clock, plans):
    metric = api.metric("ping")["id"]
    price = {"metric_id": metric, "model": "flat_unit", "unit_price": "100"}
    prepaid = api.plan(price, billing_mode="prepaid")["id"]
    api.wallet("c1", funds="500")
    first = api.subscribe("c1", prepaid)
    clock(TENTH)
    change(api, first, status="canceled")

    assert refused_until(ask(api, plans[1], start_date=FIFTH), TENTH)


def test_the_database_refuses_an_instant_that_is_taken(api, backend, clock, plans):
    first = api.subscribe("c1", plans[0])
    clock(TENTH)
    change(api, first, status="paused")
    second = api.subscribe("c1", plans[1])
    insertion = (
        "INSERT INTO subscription_stretches (org_id, is_test, subscription_id, customer_id,"
        " plan_type, started_at, ended_at) SELECT org_id, is_test, $2, customer_id, plan_type,"
        " '2027-01-02', '2027-01-03' FROM subscription_stretches WHERE org_id = $1 LIMIT 1"
    )

    with pytest.raises(asyncpg.ExclusionViolationError) as refused:
        backend.sql(insertion, api.org_id, UUID(second["id"]), as_app=api.tenant)

    assert refused.value.constraint_name == "subscription_stretches_never_overlap"


def test_the_constraint_is_told_as_a_conflict(api, backend, clock, plans):
    first = api.subscribe("c1", plans[0])
    clock(TENTH)

    async def claim_again():
        async with backend.services.database.transaction(api.tenant) as tx:
            known = await subscriptions.get(tx, UUID(first["id"]))
            await stretch_store.insert(tx, known, tx.now, None)

    with pytest.raises(DomainError, match="another subscription of this plan type"):
        backend.run(claim_again())


def test_of_two_that_begin_at_once_one_is_refused(api, clock, plans):
    first = api.subscribe("c1", plans[0])
    clock(TENTH)
    change(api, first, status="canceled")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda plan: ask(api, plan, start_date=TENTH), plans * 4))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert stretches(api) == [("01 Jan", "10 Jan"), ("10 Jan", None)]


def test_a_resumption_into_time_that_another_one_has_is_refused(api, backend, clock, plans):
    first = api.subscribe("c1", plans[0])
    clock(FIFTH)
    change(api, first, status="paused")
    second = api.subscribe("c1", plans[1])
    clock(TENTH)
    change(api, second, status="canceled")
    # As where the machine's clock was set back since.
    moved = "UPDATE {} SET {} = '2027-01-20' WHERE org_id = $1 AND {}"
    backend.sql(moved.format("subscriptions", "canceled_at", "status = 'canceled'"), api.org_id)
    backend.sql(
        moved.format("subscription_stretches", "ended_at", "started_at > '2027-01-02'"), api.org_id
    )

    refused = api.patch(f"{PATH}/{first['id']}", json={"status": "active"})

    assert refused.status_code == 409
    assert refused.json()["error"].endswith(f"up to {TWENTIETH}")
    assert TWENTIETH in refused.json()["details"]["status"]
    known = api.get(f"{PATH}/{first['id']}").json()["subscription"]
    assert known["status"] == "paused"
