"""What needs a person: counted where it is, with the first few ids."""

from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from monigo.bootstrap import REGISTRY
from monigo.core.times import format_instant
from monigo.infra import agenda
from monigo.infra.ids import new_id
from monigo.infra.registry import Registry
from monigo.metering import USAGE_OF_DAY
from monigo.reports import Need, NeedKind, NeedsPerson
from monigo.reports.dashboard import LOOK_FOR_DECLINES, find_declines
from support.api import Api, event
from support.metering import fold

DAY = timedelta(days=1)
SET_ASIDE = """
    INSERT INTO agenda (org_id, is_test, kind, subject, due_at, runs_at, version, attempts, reason)
    VALUES ($1, $2, $3, $4, now(), 'infinity', 1, 1, 'planted')
"""


def needs(api):
    answer = api.get("/api/v1/dashboard")
    assert answer.status_code == 200, answer.text
    return {
        one["kind"]: (one["count"], one["subject_ids"])
        for one in answer.json()["dashboard"]["needs_person"]
    }


def set_aside(api, kind, subject):
    api.backend.sql(SET_ASIDE, api.org_id, api.tenant.is_test, kind, subject)


def declines(api):
    rows = api.backend.sql(
        "SELECT customer_id, recent_events, usual_events FROM usage_declines"
        " WHERE org_id = $1 AND is_test = $2",
        api.org_id,
        api.tenant.is_test,
    )
    return {str(row["customer_id"]): (row["recent_events"], row["usual_events"]) for row in rows}


def look(api):
    api.backend.run(find_declines(api.backend.services.database, api.tenant))


def use(api, customer, counts, name="api_call"):
    """Events on the days before today, UTC, by how many days ago."""
    now = api.backend.clock.now()
    for days_ago, count in counts.items():
        at = format_instant((now - days_ago * DAY).replace(hour=12, minute=0))
        stamps = range(count)
        api.ingest(
            *(event(f"{customer}-{days_ago}-{n}", customer, name, timestamp=at) for n in stamps)
        )
    fold(api)


def test_nothing_waits_in_the_beginning(api):
    assert needs(api) == {}


def test_work_that_was_set_aside_is_told_apart_from_subscriptions(api):
    subjects = sorted(str(new_id()) for _ in range(12))
    for subject in subjects:
        set_aside(api, "period_close", UUID(subject))
    set_aside(api, "mail", UUID(subjects[0]))
    set_aside(api, "usage_changed", UUID(subjects[1]))

    told = needs(api)

    assert told == {
        "subscriptions_set_aside": (12, subjects[:10]),
        "work_set_aside": (2, subjects[:2]),
    }


def test_a_subscription_that_is_paused_for_balance_waits(api, clock):
    clock("2027-01-31T10:00:00Z")
    api.customer()
    api.wallet()
    price = {"metric_id": api.metric()["id"], "model": "flat_unit", "unit_price": "100"}
    subscription = api.subscribe("c1", api.plan(price, billing_mode="prepaid")["id"])
    api.ingest(event("1"))

    clock("2027-02-28T10:00:00Z")

    assert needs(api) == {"subscriptions_paused_for_balance": (1, [subscription["id"]])}


def test_a_wallet_that_asked_for_money_waits(api):
    api.customer()
    wallet = api.wallet(funds="100")
    rule = {"threshold": "100", "amount": "50"}
    api.put(f"/v1/wallets/{wallet['id']}/auto-top-up", json=rule)
    api.move(wallet, "debit", "10")

    assert needs(api) == {"wallets_waiting_for_top_up": (1, [wallet["id"]])}


@pytest.mark.parametrize(
    ("counts", "is_fallen"),
    [
        ({10: 40}, True),  # A usual week of ten, and none of late.
        ({10: 39}, False),  # Less than ten is chance.
        ({10: 40, 7: 4}, True),
        ({10: 40, 7: 5}, False),  # Half is not below half.
        ({10: 44, 1: 5}, True),
        ({35: 40, 36: 60}, True),  # What was before does not count.
        ({36: 400}, False),
        ({10: 40, 0: 50}, True),  # Today is not over.
        ({7: 40}, False),
        ({8: 40}, True),
    ],
)
def test_usage_has_fallen_below_half_of_a_usual_week(api, counts, is_fallen):
    customer = api.customer()
    api.metric()
    use(api, "c1", counts)

    look(api)

    told = needs(api)
    assert told == ({"customers_with_fallen_usage": (1, [customer["id"]])} if is_fallen else {})


def test_what_is_noted_is_the_last_week_and_a_usual_one(api):
    customer = api.customer()
    api.metric()
    use(api, "c1", {1: 3, 8: 40, 20: 4})

    look(api)

    assert declines(api) == {customer["id"]: (3, 11)}


def test_who_uses_more_again_is_forgotten_and_so_is_who_is_deleted(api):
    for name in ("c1", "c2"):
        api.customer(name)
    api.metric()
    use(api, "c1", {10: 40})
    use(api, "c2", {10: 40})
    look(api)
    before = len(declines(api))
    use(api, "c1", {2: 30})
    api.delete("/v1/customers/c2")

    look(api)

    assert (before, declines(api)) == (2, {})


def test_a_share_of_the_customers_is_looked_at_at_a_time(api, monkeypatch):
    monkeypatch.setattr("monigo.reports.dashboard.declines.CUSTOMERS_A_STEP", 2)
    customers = {f"c{number}": api.customer(f"c{number}")["id"] for number in range(5)}
    api.metric()
    for name in customers:
        use(api, name, {10: 40})

    look(api)

    assert declines(api) == dict.fromkeys(customers.values(), (0, 10))
    assert needs(api) == {"customers_with_fallen_usage": (5, sorted(customers.values()))}


def test_events_have_it_looked_once_the_day_is_over(api, backend):
    customer = api.customer()
    api.metric()
    use(api, "c1", {10: 40})
    (entry,) = waiting(api)
    backend.clock.advance(days=1, hours=2)

    backend.run(agenda.work_off(backend.services.database, LOOK_FOR_DECLINES, api.tenant))

    assert entry["due_at"] > backend.clock.now() - 2 * DAY
    assert customer["id"] in declines(api)
    # Whoever has no events any more is looked at again tomorrow.
    assert [one["due_at"] > entry["due_at"] for one in waiting(api)] == [True]


def test_who_had_no_events_for_long_is_not_looked_at_again(api, backend):
    api.customer()
    api.metric()
    use(api, "c1", {10: 40})
    backend.clock.advance(days=40)

    backend.run(agenda.work_off(backend.services.database, LOOK_FOR_DECLINES, api.tenant))

    assert (waiting(api), declines(api)) == ([], {})


def waiting(api):
    return api.backend.sql(
        "SELECT subject, due_at FROM agenda WHERE org_id = $1 AND is_test = $2 AND kind = $3",
        api.org_id,
        api.tenant.is_test,
        USAGE_OF_DAY.name,
    )


def test_other_tenants_needs_are_not_told(api, backend):
    api.customer()
    set_aside(api, "mail", new_id())
    api.metric()
    use(api, "c1", {10: 40})
    look(api)

    with Api.of(backend, api.org_id, is_test=False) as live, Api.of_new_organization(backend) as b:
        assert [needs(live), needs(b)] == [{}, {}]
    assert len(needs(api)) == 2


async def unknown_transfers(_tx, asked):
    """A domain above, which knows of more that waits."""
    return [Need(NeedKind.WORK_SET_ASIDE, asked.shown_max + 1, (UUID(int=7),))]


def test_domains_above_tell_of_what_waits_there(api, backend, monkeypatch):
    sources = {**REGISTRY.sources}
    sources[NeedsPerson] = (*sources[NeedsPerson], unknown_transfers)
    known = Registry(
        guards=REGISTRY.guards,
        reactions=REGISTRY.reactions,
        subscribers=tuple(REGISTRY.subscribers.values()),
        sources=sources,
    )
    monkeypatch.setattr(backend.services.database, "registry", known)

    assert needs(api) == {"work_set_aside": (11, [str(UUID(int=7))])}


@pytest.mark.parametrize(("recent", "usual"), [(5, 10), (-1, 10), (0, 0), (6, 10)])
def test_the_database_refuses_a_decline_that_is_none(api, backend, recent, usual):
    customer = api.customer()

    with pytest.raises(asyncpg.CheckViolationError, match="usage_declines_below_half"):
        backend.sql(
            "INSERT INTO usage_declines (org_id, is_test, customer_id, recent_events,"
            " usual_events, noted_at) VALUES ($1, $2, $3, $4, $5, now())",
            api.org_id,
            api.tenant.is_test,
            customer["id"],
            recent,
            usual,
        )
