"""What is due for subscriptions is shared out among workers, tried again, and looked at anew."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from monigo import subscriptions
from monigo.core.periods import Period
from monigo.subscriptions.due import ATTEMPTS_MAX

START = "2027-01-01T00:00:00Z"
JANUARY, FEBRUARY, MARCH = (datetime(2027, month, 1, tzinfo=UTC) for month in range(1, 4))
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


@pytest.fixture
def due(api):
    """Two subscriptions that are due, the first one for longer."""
    *_, plan, first = api.subscribed_customer()
    second = api.subscribe(api.customer("c2")["id"], plan["id"])
    ids = [UUID(known["id"]) for known in (first, second)]
    for days, known in enumerate(reversed(ids), start=60):
        make_due(api, known, days)
    return ids


def make_due(api, subscription_id, days=60):
    """Have it due so many days earlier, which is before now."""
    api.backend.sql(
        "UPDATE due_subscriptions SET due_at = due_at - make_interval(days => $2)"
        " WHERE subscription_id = $1",
        subscription_id,
        days,
    )


def due_row(api, subscription_id):
    return api.backend.sql(
        "SELECT due_at, attempts FROM due_subscriptions WHERE subscription_id = $1",
        subscription_id,
    )


def in_transaction(api, use_case, *arguments):
    """What a use case gives in a transaction of the tenant, and the transaction's instant."""

    async def run():
        async with api.backend.services.database.transaction(api.tenant) as tx:
            return await use_case(tx, *arguments), tx.now

    return api.backend.run(run())


async def claimed(tx, limit):
    """Which subscriptions a worker gets that asks for so many."""
    return [known.id for _, known in await subscriptions.claim(tx, limit)]


async def fail(tx):
    """A worker's try at what is due, which can't be billed."""
    for due, known in await subscriptions.claim(tx, 1):
        await subscriptions.set_aside(tx, due, known, "the sum is too large")


def test_what_one_worker_holds_another_passes_over_and_takes_the_next(api, due):
    transaction = api.backend.services.database.transaction

    async def work():
        async with transaction(api.tenant) as one, transaction(api.tenant) as other:
            return [await claimed(one, 1), await claimed(other, 1), await claimed(other, 9)]

    first, second = due
    assert api.backend.run(work()) == [[first], [second], [second]]


def test_what_was_held_is_there_again_once_its_transaction_has_ended(api, due):
    before, _ = in_transaction(api, claimed, 2)
    after, _ = in_transaction(api, claimed, 2)

    assert set(before) == set(after) == set(due)


def test_what_can_not_be_billed_is_tried_ever_later_and_not_for_ever(api):
    *_, known = api.subscribed_customer()
    known = UUID(known["id"])
    pauses = []
    for attempt in range(1, ATTEMPTS_MAX):
        make_due(api, known)
        _, now = in_transaction(api, fail)
        (row,) = due_row(api, known)
        pauses.append(row["due_at"] - now)
        assert row["attempts"] == attempt

    make_due(api, known)
    in_transaction(api, fail)

    assert pauses[:4] == [MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE]
    assert pauses[10:] == [1024 * MINUTE] + [DAY] * (ATTEMPTS_MAX - 12)
    assert due_row(api, known) == []
    told = api.get(f"/v1/subscriptions/{known}").json()["subscription"]
    assert told["billing_error"] == "the sum is too large"


def test_a_credit_wakes_who_waits_for_a_balance_and_nobody_whom_the_merchant_paused(api, due):
    short, paused = due
    api.backend.sql(
        "UPDATE subscriptions SET status = 'paused', pause_reason = CASE id"
        " WHEN $1 THEN 'insufficient_balance' ELSE 'merchant' END WHERE id = ANY ($2)",
        short,
        due,
    )
    api.backend.sql("DELETE FROM due_subscriptions WHERE subscription_id = ANY ($1)", due)
    customers = [UUID(known["id"]) for known in api.get("/v1/customers").json()["customers"]]

    _, now = in_transaction(api, subscriptions.wake, customers, ())

    assert [(row["due_at"], row["attempts"]) for row in due_row(api, short)] == [(now, 0)]
    assert due_row(api, paused) == []


def test_of_two_windows_that_were_replayed_the_earlier_one_is_where_to_look_from(api, clock):
    clock(START)
    *_, known = api.subscribed_customer()
    clock("2027-03-02T00:00:00Z")

    for start in (JANUARY + DAY, FEBRUARY + DAY):
        in_transaction(api, subscriptions.recheck, Period(start, start + DAY))

    (row,) = api.backend.sql(
        "SELECT recheck_from FROM subscriptions WHERE id = $1", UUID(known["id"])
    )
    assert row["recheck_from"] == JANUARY + DAY
