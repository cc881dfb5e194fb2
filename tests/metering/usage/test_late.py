"""What came late: after a period that it belongs to may have been closed."""

from datetime import timedelta
from uuid import UUID

import pytest

from monigo import metering
from support.api import event
from support.clock import STARTS_AT
from support.metering import fold

# By the machine's clock, half an hour into an hour.
HALF_PAST = STARTS_AT.replace(minute=30, second=0, microsecond=0)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def customer_id(api, backend):
    backend.clock.stand_still()
    backend.clock.advance(seconds=(HALF_PAST + 20 * MINUTE - backend.clock.now()).total_seconds())
    return UUID(api.customer()["id"])


def send(api, key, occurred_at):
    api.ingest(event(key, timestamp=occurred_at.isoformat()))
    fold(api)


def late_from(api, customer_id, *, closed_until, looked_at):
    query = metering.LateQuery(customer_id, closed_until=closed_until, looked_at=looked_at)

    async def ask():
        async with api.backend.services.database.transaction(api.tenant) as tx:
            return await metering.late_from(tx, [query])

    return api.backend.run(ask())[0]


def test_an_event_of_the_very_hour_in_which_a_period_ended_may_come_late(api, backend, customer_id):
    looked_at = backend.clock.now() - MINUTE
    send(api, "late", HALF_PAST - 10 * MINUTE)

    found = late_from(api, customer_id, closed_until=HALF_PAST, looked_at=looked_at)
    after_a_look = late_from(
        api, customer_id, closed_until=HALF_PAST, looked_at=backend.clock.now() + MINUTE
    )
    before_it = late_from(
        api, customer_id, closed_until=HALF_PAST - 15 * MINUTE, looked_at=looked_at
    )

    assert (found, after_a_look, before_it) == (HALF_PAST - 10 * MINUTE, None, None)


def test_each_event_that_comes_late_for_a_day_is_noted_anew(api, backend, customer_id):
    yesterday = HALF_PAST - DAY
    midnight = yesterday.replace(hour=0, minute=0)
    send(api, "one", yesterday)
    backend.clock.advance(minutes=1)
    looked_at = backend.clock.now()
    at_first = late_from(api, customer_id, closed_until=HALF_PAST, looked_at=looked_at)
    backend.clock.advance(minutes=1)
    send(api, "two", yesterday)

    found = late_from(api, customer_id, closed_until=HALF_PAST, looked_at=looked_at)

    assert (at_first, found) == (None, midnight)
