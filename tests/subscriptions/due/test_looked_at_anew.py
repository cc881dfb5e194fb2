"""Which subscriptions are looked at anew, and since when, as credits come and replays end."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from monigo import subscriptions
from monigo.core.periods import Period
from monigo.infra import agenda
from support.agenda import entries

START = "2027-01-01T00:00:00Z"
JANUARY, FEBRUARY = (datetime(2027, month, 1, tzinfo=UTC) for month in (1, 2))
DAY = timedelta(days=1)


def in_transaction(api, use_case, *arguments):
    """What a use case gives in a transaction of the tenant, and the transaction's instant."""

    async def run():
        async with api.backend.services.database.transaction(api.tenant) as tx:
            return await use_case(tx, *arguments), tx.now

    return api.backend.run(run())


def test_a_credit_wakes_who_waits_for_a_balance_and_nobody_whom_the_merchant_paused(api, backend):
    *_, plan, first = api.subscribed_customer()
    second = api.subscribe(api.customer("c2")["id"], plan["id"])
    short, paused = (UUID(known["id"]) for known in (first, second))
    backend.sql(
        "UPDATE subscriptions SET status = 'paused', pause_reason = CASE id"
        " WHEN $1 THEN 'insufficient_balance' ELSE 'merchant' END WHERE id = ANY ($2)",
        short,
        [short, paused],
    )
    in_transaction(api, agenda.cancel, subscriptions.PERIOD_CLOSE, [short, paused])
    customers = [UUID(known["id"]) for known in api.get("/v1/customers").json()["customers"]]

    _, now = in_transaction(api, subscriptions.wake, customers, ())

    found = entries(backend, api.tenant, subscriptions.PERIOD_CLOSE)
    assert [(row["subject"], row["due_at"], row["attempts"]) for row in found] == [(short, now, 0)]


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
