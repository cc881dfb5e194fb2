"""Providers' lists, compared with our rows: what differs, and what happens by itself."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from monigo.core.money import Money
from monigo.payments import reconciliation
from monigo.payments.charges import ChargeState
from monigo.payments.reconciliation import Reconciliation, rules
from monigo.payments.reconciliation.service import DAILY, LOOK_DAILY, RECONCILE
from monigo.payments.reconciliation.types import DifferenceKind, OurCharge, OurPayment, Ours
from monigo.providers.port import Fact, Kind, State
from support.agenda import work
from support.books import in_transaction
from support.charges import Till, naira
from support.clock import STARTS_AT
from support.payments import PROVIDERS, connect
from support.webhooks import due, tasks_of

OURS = "mo" + "a" * 30


class EditedDesk:
    """Asks for lists, and passes on something else than what came."""

    def __init__(self, desk, edit):
        self._desk = desk
        self._edit = edit

    async def ask(self, *asked):
        outcome = await self._desk.ask(*asked)
        facts = replace(outcome.result, facts=tuple(self._edit(outcome.result.facts)))
        return replace(outcome, result=facts)


class Books(Till):
    """A merchant whose lists are compared with its rows."""

    def __init__(self, api, provider="paystack"):
        super().__init__(api, connect(api, provider))
        self.task = tasks_of(api, RECONCILE)[0]
        api.backend.simulated.next(provider, "webhook", "lost", times=100)

    def reconcile(self):
        """The look of the day: for all connections of the tenant."""

        async def begin(tx):
            await LOOK_DAILY.handler.work(tx, [])

        self.run(begin)
        work(self.api.backend, self.api.tenant, self.task)

    def reconcile_edited(self, edit):
        """The differences after a look at a list that was edited on its way."""
        real = self.task
        desk = EditedDesk(self.services.desk, edit)
        self.task = Reconciliation(desk, self.services.provider_events.reconciliation.apply).task
        self.reconcile()
        self.task = real
        return self.kinds(open="true")

    def paid(self, amount="2500"):
        """A link that was paid, of which we have not heard."""
        link = self.submit(self.checkout(amount))
        self.pay(link)
        return link

    def found(self, **query):
        path = f"/v1/payment-connections/{self.connection['id']}/reconciliation"
        answer = self.api.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def kinds(self, **query):
        return [(row["kind"], row["next_step"]) for row in self.found(**query)["reconciliation"]]


def nothing(_facts):
    return ()


@pytest.fixture
def books(api):
    return Books(api)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_payment_of_which_every_word_was_lost_is_taken_over(api, provider):
    books = Books(api, provider)
    links = [books.paid(amount) for amount in ("100", "200")]

    books.reconcile()

    assert {books.look(link).state for link in links} == {ChargeState.SUCCEEDED}
    assert sorted(str(row["amount"]) for row in books.payments()) == ["100.000000", "200.000000"]
    assert books.kinds() == [("other_state", "taken_over")] * 2
    assert books.kinds(open="true") == []
    found = books.found()
    assert found["rows_listed"] >= 2
    assert found["last_looked_at"] is not None
    books.reconcile()
    assert len(books.payments()) == 2
    assert len(books.found()["reconciliation"]) == 2


def test_what_we_credited_and_the_provider_does_not_list_is_compared_again(books):
    clock = books.api.backend.clock
    # The provider's clock is the machine's.
    clock.advance(seconds=(datetime.now(UTC) - clock.now()).total_seconds())
    books.submit(books.paid())
    too_early = books.reconcile_edited(nothing)

    clock.advance(hours=2)
    missing = books.reconcile_edited(nothing)
    clock.advance(days=1)
    books.reconcile()

    assert (too_early, missing) == ([], [("missing_there", "compared_again")])
    assert books.kinds(open="true") == []
    assert books.found()["reconciliation"][0]["settled_at"] is not None


def test_a_difference_that_is_gone_is_settled(books):
    books.submit(books.paid())
    (payment,) = books.payments()

    def less(facts):
        return tuple(replace(one, amount=naira("2400")) for one in facts)

    wrong = books.reconcile_edited(less)
    (row,) = books.found()["reconciliation"]
    books.reconcile_edited(less)
    seen_again = books.found()["total"]
    books.api.backend.clock.advance(seconds=1)
    books.reconcile()

    assert wrong == [("other_amount", "person")]
    assert (row["our_amount"], row["provider_amount"]) == ("2500.000000", "2400.000000")
    assert row["provider_reference"] == payment["provider_id"]
    assert (seen_again, books.kinds(open="true")) == (1, [])
    assert books.found()["reconciliation"][0]["settled_at"] is not None


def test_a_list_that_is_not_read_settles_nothing_and_is_read_again(books):
    link = books.paid()
    books.script("list_charges", "500")

    books.reconcile()

    (failed,) = books.api.get("/v1/set-aside").json()["set_aside"]
    assert failed["kind"] == "reconciliation"
    assert failed["reason"].startswith("the provider's list was not read")
    assert books.found()["last_looked_at"] is None
    books.api.backend.clock.advance(minutes=11)
    work(books.api.backend, books.api.tenant, books.task)
    assert books.look(link).state is ChargeState.SUCCEEDED


def test_connections_are_compared_daily_though_no_webhook_comes(books):
    books.submit(books.paid())
    looks = [due(books.api, DAILY)]

    for _ in range(2):
        books.run(reconciliation.schedule)
        books.api.backend.clock.advance(days=2)
        work(books.api.backend, books.api.tenant, LOOK_DAILY)
        looks.append(due(books.api, DAILY))

    assert looks == [1, 1, 1]
    assert due(books.api, RECONCILE) == 1


def test_a_connection_is_compared_daily_from_when_it_is_made(api):
    connection = connect(api)
    looks = [due(api, DAILY)]

    for _ in range(2):
        api.backend.clock.advance(days=2)
        work(api.backend, api.tenant, LOOK_DAILY)
        looks.append(due(api, DAILY))
    # Switched off it starts nothing new, and is asked all the same.
    for _ in range(2):
        api.post(f"/v1/payment-connections/{connection['id']}/toggle")
        looks.append(due(api, DAILY))

    assert looks == [1, 1, 1, 1, 1]
    assert due(api, RECONCILE) == 1


def test_without_a_connection_nothing_is_compared(api):
    async def begin(tx):
        await LOOK_DAILY.handler.work(tx, [])

    in_transaction(api, begin)

    assert (due(api, DAILY), due(api, RECONCILE)) == (0, 0)


def fact(state=State.SUCCEEDED, reference=OURS, amount=100, **more):
    told = {"provider_id": "7", "amount": naira(amount), **more}
    return Fact(kind=Kind.CHARGE, state=state, reference=reference, **told)


def charge(*, is_live=True):
    state = "pending" if is_live else "failed"
    return {OURS: OurCharge(None, OURS, state, is_live, naira(100))}


def payment(amount=100, gone=0):
    return {"7": OurPayment(None, "7", OURS, naira(amount), Money.zero("NGN").amount + gone, None)}


@pytest.mark.parametrize(
    ("told", "charges", "payments", "kind", "is_news"),
    [
        (fact(), {}, payment(), None, False),
        (fact(), {}, payment(90), DifferenceKind.OTHER_AMOUNT, False),
        (fact(State.REVERSED), {}, payment(), DifferenceKind.OTHER_STATE, True),
        (fact(State.REVERSED), {}, payment(gone=100), None, False),
        (fact(), {}, payment(gone=100), DifferenceKind.OTHER_STATE, False),
        (fact(), charge(), {}, DifferenceKind.OTHER_STATE, True),
        (fact(), charge(is_live=False), {}, DifferenceKind.OTHER_STATE, True),
        (fact(), {}, {}, DifferenceKind.MISSING_HERE, True),
        (fact(reference="shop-1"), {}, {}, None, False),
        (fact(State.PENDING), charge(), {}, None, False),
        (fact(State.FAILED), charge(), {}, None, True),
        (fact(State.FAILED), charge(is_live=False), {}, None, False),
    ],
)
def test_how_a_row_of_the_list_compares(told, charges, payments, kind, is_news):
    compared = rules.compare(told, Ours(charges, payments), STARTS_AT)

    found = compared.difference and compared.difference.kind
    assert (found, compared.is_news) == (kind, is_news)
