"""Events worked off: taken into our rows, tried again until their row is there, or set aside."""

from uuid import uuid4

import pytest

from monigo.payments.charges import Applied, AppliedState
from monigo.payments.events import EventWork
from monigo.payments.events.service import APPLY, LOOK_UP
from monigo.providers import port as p
from support.payments import PROVIDERS, ask, connect, keys_of
from support.simulator import checkout, naira
from support.waiting import wait_until
from support.webhooks import due, events_of, paid, secret_of, send, states_of, work_off

OURS = "mo" + "b" * 30
FOREIGN_DAYS = 7


class Books:
    """Takes facts as charges do: by their reference, and each payment once."""

    def __init__(self):
        self.known = set()
        self.credits = {}
        self.broken = set()
        self.refused = set()

    async def apply_charges(self, tx, facts):
        return [await self.apply(tx, connection_id, fact) for connection_id, fact in facts]

    async def apply(self, _tx, _connection_id, fact):
        if fact.reference in self.broken:
            raise RuntimeError("a fault of ours")
        if fact.reference in self.refused:
            return Applied(AppliedState.REFUSED, "another currency")
        if fact.reference not in self.known:
            return Applied(AppliedState.UNKNOWN_REFERENCE)
        if fact.state is p.State.SUCCEEDED:
            self.credits.setdefault(fact.provider_id, fact.amount)
        return Applied(AppliedState.APPLIED)


class Shop:
    """An organisation connected to a provider, whose events are worked off into its books."""

    def __init__(self, api, provider):
        self.api = api
        self.provider = provider
        self.connection = connect(api, provider)
        self.secret = secret_of(keys_of(provider, api.org_id))
        self.books = Books()
        services = api.backend.services
        work = EventWork(
            services.provider_events.inbox,
            services.desk,
            {p.Kind.CHARGE: self.books.apply},
            self.books.apply_charges,
        )
        self.tasks = work.tasks

    def hear(self, reference, **more):
        answer = send(self.api, self.provider, paid(self.provider, reference, **more), self.secret)
        assert answer.status_code == 200
        self.work()

    def work(self):
        work_off(self.api, *self.tasks)

    def opened(self, reference):
        """A checkout at the simulator, which sends its webhooks to us."""
        ask(self.api, self.connection, checkout(reference))

    def pay(self, reference, **how):
        self.api.backend.simulated.pay(self.provider, reference, **how)


@pytest.fixture
def shop(api):
    return Shop(api, "paystack")


def test_an_event_that_is_ours_is_applied(shop):
    shop.books.known.add(OURS)

    shop.hear(OURS)

    (event,) = events_of(shop.api, matched=True)
    assert (event["status"], event["reference"], event["amount"]) == (
        "applied",
        OURS,
        "2500.000000",
    )
    assert event["is_confirmed"]
    assert shop.books.credits == {"1": naira("2500")}
    assert due(shop.api, APPLY) == 0


def test_an_event_before_its_row_is_parked_and_applied_once_the_row_is_there(shop):
    clock = shop.api.backend.clock
    shop.hear(OURS)
    parked = states_of(shop.api, matched=False)
    shop.books.known.add(OURS)
    shop.work()
    too_early = states_of(shop.api, matched=False)

    clock.advance(seconds=6)
    shop.work()

    assert (parked, too_early) == (["parked"], ["parked"])
    assert states_of(shop.api, matched=False) == []
    assert states_of(shop.api, matched=True) == ["applied"]
    assert list(shop.books.credits) == ["1"]


def test_an_event_whose_row_never_comes_stays_in_the_inbox(shop):
    clock = shop.api.backend.clock
    shop.hear(OURS)

    for pause in (6, 21, 61, 301, 901, *[3_601] * 75):
        clock.advance(seconds=pause)
        shop.work()

    (event,) = events_of(shop.api, matched=False)
    assert event["status"] == "parked"
    assert event["attempts"] > 70
    assert due(shop.api, APPLY) == 0
    clock.advance(days=200)
    work_off(shop.api, *shop.api.backend.services.tasks)
    assert states_of(shop.api, matched=False) == ["parked"]


def test_an_event_of_the_merchants_own_shop_is_kept_for_seven_days(shop):
    clock = shop.api.backend.clock
    shop.hear("shop-1")
    shop.books.known.add(OURS)
    shop.hear(OURS, number=2)
    kept = states_of(shop.api)

    clock.advance(days=FOREIGN_DAYS + 2)
    forget = [one for one in shop.api.backend.services.tasks if "event_expiry" in one.kind.name]
    work_off(shop.api, *forget)
    after_a_week = states_of(shop.api)
    clock.advance(days=90)
    work_off(shop.api, *forget)

    assert kept == ["applied", "foreign"]
    assert after_a_week == ["applied"]
    assert states_of(shop.api) == []
    assert states_of(shop.api, matched=False) == []


def test_what_does_not_fit_waits_for_a_person_and_is_not_tried_again(shop):
    shop.books.refused.add(OURS)

    shop.hear(OURS)

    (event,) = events_of(shop.api, matched=False)
    assert (event["status"], event["reason"]) == ("parked", "another currency")
    assert due(shop.api, APPLY) == 0


def test_a_failing_event_is_set_aside_and_stops_no_other(shop):
    other = "mo" + "c" * 30
    shop.books.broken.add(OURS)
    shop.books.known |= {OURS, other}
    raw = [paid("paystack", one, number=index) for index, one in enumerate((OURS, other))]
    for one in raw:
        send(shop.api, "paystack", one, shop.secret)

    shop.work()

    assert sorted(states_of(shop.api)) == ["applied", "failed"]
    assert states_of(shop.api, matched=False) == ["failed"]
    (set_aside,) = shop.api.get("/v1/set-aside").json()["set_aside"]
    assert set_aside["kind"] == "provider_event"
    shop.books.broken.clear()
    shop.api.backend.clock.advance(minutes=2)
    shop.work()
    assert states_of(shop.api) == ["applied", "applied"]


def test_a_person_has_an_event_worked_off_again_or_ignored(shop):
    shop.books.refused.add(OURS)
    shop.hear(OURS)
    (event,) = events_of(shop.api, matched=False)
    path = f"/v1/provider-events/{event['id']}"

    shop.books.refused.clear()
    shop.books.known.add(OURS)
    replayed = shop.api.post(f"{path}/replay")
    shop.work()
    shop.api.post(f"{path}/replay")
    shop.work()

    assert replayed.json()["event"]["status"] == "received"
    assert list(shop.books.credits) == ["1"]
    assert shop.api.post(f"{path}/ignore", json={"reason": "why"}).status_code == 409


def test_an_ignored_event_leaves_the_inbox_and_stays_so(shop):
    shop.hear(OURS)
    (event,) = events_of(shop.api, matched=False)
    path = f"/v1/provider-events/{event['id']}"

    without_reason = shop.api.post(f"{path}/ignore", json={"reason": "  "})
    ignored = shop.api.post(f"{path}/ignore", json={"reason": "a colleague's test"})
    shop.books.known.add(OURS)
    shop.api.backend.clock.advance(hours=2)
    shop.work()

    assert (without_reason.status_code, list(without_reason.json()["details"])) == (400, ["reason"])
    assert ignored.json()["event"]["status"] == "ignored"
    assert (events_of(shop.api, matched=False), shop.books.credits) == ([], {})
    assert shop.api.post(f"{path}/replay").status_code == 409


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("how", ["duplicate", "early", "late", "reordered"])
def test_webhooks_in_any_order_credit_each_payment_once(api, provider, how):
    shop = Shop(api, provider)
    references = [new_reference(), new_reference()]
    shop.books.known |= set(references)
    for reference in references:
        shop.opened(reference)
    api.backend.simulated.next(provider, "webhook", how, times=2, delay_ms=50)

    for reference in references:
        shop.pay(reference)
    # A webhook that is sent twice may come again after the other one was worked off.
    wait_until(
        lambda: shop.work() or (len(shop.books.credits) == 2 and set(states_of(api)) == {"applied"})
    )

    assert {str(one.amount) for one in shop.books.credits.values()} == {"2500.000000"}


def test_flutterwave_is_asked_before_its_word_counts(api):
    shop = Shop(api, "flutterwave")
    ours = new_reference()
    shop.books.known.add(ours)
    shop.opened(ours)

    # Whoever knows the hash may claim anything; the provider knows of no payment.
    shop.hear(ours, number=77, amount=1_000_000)

    (event,) = events_of(api, matched=False)
    assert (event["status"], event["is_confirmed"], shop.books.credits) == ("parked", False, {})
    assert due(api, LOOK_UP) == 1
    shop.pay(ours)
    api.backend.clock.advance(hours=1)
    wait_until(lambda: shop.work() or shop.books.credits)
    assert [str(one.amount) for one in shop.books.credits.values()] == ["2500.000000"]


def test_a_declined_try_for_which_the_provider_keeps_no_fee_is_worked_off(api):
    shop = Shop(api, "flutterwave")
    ours = new_reference()
    shop.books.known.add(ours)
    shop.opened(ours)

    shop.pay(ours, method="decline")
    wait_until(lambda: shop.work() or states_of(api) == ["applied"])

    (event,) = events_of(api, matched=True)
    assert (event["payment_status"], event["fee"]) == ("failed", "0.000000")


def test_flutterwave_is_not_asked_about_what_is_nobodys(api):
    shop = Shop(api, "flutterwave")

    shop.hear("shop-1")

    calls = api.get(f"/v1/payment-connections/{shop.connection['id']}/calls").json()["calls"]
    assert states_of(api) == ["foreign"]
    assert [one for one in calls if one["verb"] == "lookup"] == []


def new_reference():
    """One that no other test has: the simulator is everybody's."""
    return f"mo{uuid4().hex[:30]}"
