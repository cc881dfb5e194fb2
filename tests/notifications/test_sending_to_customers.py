"""How mails to customers leave: once for a fact, not too many, and to nobody who gets none."""

import asyncpg
import httpx
import pytest

from monigo.core.errors import DomainError, invalid
from monigo.infra import outbox
from monigo.infra.facts import Recorded
from monigo.infra.ids import new_id
from monigo.infra.mail import MAIL, transports
from monigo.infra.outbox import delivery
from monigo.notifications.mails import COMPOSING
from monigo.notifications.mails.service import note
from monigo.payments.methods.events import PaymentMethodExpiring
from monigo.subscriptions import PauseReason, Status
from monigo.subscriptions.events import SubscriptionPaused
from support.agenda import do, entries
from support.customer_mails import Letters
from support.mail import text_of

UNKNOWN = "550 5.1.1 no such mailbox"


class Customer:
    """A customer, and what is reported of them."""

    def __init__(self, api):
        self.api = api
        self.id = api.customer("ada", name="Ada Obi", email="ada@example.com")["id"]

    def card(self, *, last4="4081", is_default=True):
        """A card that expires soon."""
        return PaymentMethodExpiring(
            payment_method_id=new_id(),
            customer_id=self.id,
            connection_id=new_id(),
            provider="paystack",
            brand="Visa",
            last4=last4,
            exp_month=2,
            exp_year=2027,
            is_default=is_default,
        )

    def pause(self, reason):
        return SubscriptionPaused(
            subscription_id=new_id(),
            customer_id=self.id,
            plan_id=new_id(),
            status=Status.PAUSED,
            reason=reason,
        )

    def report(self, *facts, fails=False):
        async def run():
            async with self.api.backend.services.database.transaction(self.api.tenant) as tx:
                await outbox.emit(tx, facts)
                if fails:
                    raise invalid({"all": "of it"})

        self.api.backend.run(run())


@pytest.fixture
def customer(api):
    return Customer(api)


@pytest.fixture
def letters(api):
    return Letters(api)


@pytest.fixture
def refusing(backend):
    """Has the mail server refuse every recipient from now on."""

    def refuse(answer):
        backend.mail.refusal = answer

    yield refuse
    backend.mail.refusal = None


def test_a_fact_that_comes_again_makes_no_other_mail(customer, letters, backend):
    recorded = Recorded(new_id(), 1, customer.card(), "system:test", backend.clock.now())

    async def handle():
        async with backend.services.database.transaction(letters.api.tenant) as tx:
            await note(tx, [recorded, recorded])

    backend.run(handle())
    backend.run(handle())

    assert len(letters.send()) == 1
    assert letters.log() == [("card_expiring", "sent", "")]


def test_a_worker_that_dies_with_facts_in_hand_leaves_them_to_the_next(
    customer, letters, monkeypatch
):
    customer.report(customer.card())
    with monkeypatch.context() as dying:
        dying.setattr(delivery.store, "delete_deliveries", _die)
        with pytest.raises(asyncpg.ConnectionDoesNotExistError):
            letters.deliver()

    after_death = letters.log()

    assert after_death == []
    assert len(letters.send()) == 1


async def _die(*_arguments):
    raise asyncpg.ConnectionDoesNotExistError


def test_the_database_keeps_a_second_mail_of_a_fact_out(customer, letters, backend):
    customer.report(customer.card())
    letters.deliver()

    with pytest.raises(asyncpg.UniqueViolationError, match="customer_mails_once_for_a_fact"):
        backend.sql(
            "INSERT INTO customer_mails (org_id, is_test, id, fact_id, customer_id, type, occasion,"
            " status, created_at, send_at) SELECT org_id, is_test, gen_random_uuid(), fact_id,"
            " customer_id, type, occasion, status, created_at, send_at FROM customer_mails"
            " WHERE org_id = $1 RETURNING 1",
            letters.api.org_id,
        )


def test_a_fact_that_was_rolled_back_is_not_written_about(customer, letters):
    with pytest.raises(DomainError):
        customer.report(customer.card(), fails=True)

    assert letters.send() == []
    assert letters.log() == []


def test_of_what_happens_only_some_is_written_about(customer, letters):
    customer.report(customer.card(is_default=False), customer.pause(PauseReason.MERCHANT))
    customer.report(customer.pause(PauseReason.INSUFFICIENT_BALANCE))

    letters.send()

    assert letters.log() == [("balance_low", "sent", "")]


def test_an_address_that_bounced_gets_no_more_until_it_is_lifted(customer, letters, refusing):
    refusing(UNKNOWN)
    customer.report(customer.card())
    letters.send()
    refusing(None)
    customer.report(customer.card())
    letters.send()
    listed = letters.api.get("/v1/mail-suppressions").json()["mail_suppressions"]

    lifted = letters.api.delete(f"/v1/mail-suppressions/{listed[0]['id']}")
    customer.report(customer.card())

    assert [one["address"] for one in listed] == [letters.address]
    assert lifted.json() == {"message": "mail suppression lifted"}
    assert len(letters.send()) == 1
    assert [entry[1:] for entry in letters.log()] == [
        ("not_sent", "address_refused"),
        ("not_sent", "bounced"),
        ("sent", ""),
    ]


def test_another_address_is_not_one_that_bounced(customer, letters, refusing):
    refusing(UNKNOWN)
    customer.report(customer.card())
    letters.send()
    refusing(None)

    moved = Letters(letters.api, f"moved-{letters.address}")
    customer.report(customer.card())

    assert len(moved.send()) == 1


@pytest.mark.parametrize("refusal", ["550 5.7.1 we take none from you", "552 5.2.2 mailbox full"])
def test_what_is_refused_for_another_reason_says_nothing_of_the_address(
    customer, letters, refusing, refusal
):
    refusing(refusal)
    customer.report(customer.card())

    letters.send()

    assert letters.log() == [("card_expiring", "not_sent", "refused")]
    assert letters.suppressions() == []


def test_a_greylisted_mail_is_sent_when_it_is_tried_again(customer, letters, refusing, backend):
    refusing("451 4.7.1 greylisted, try again")
    customer.report(customer.card())
    letters.send()
    waiting = letters.log()
    refusing(None)

    backend.clock.advance(minutes=1)
    sent = letters.send()

    assert waiting == [("card_expiring", "sending", "")]
    assert len(sent) == 1
    assert letters.log() == [("card_expiring", "sent", "")]


def test_a_server_that_hangs_holds_up_a_mail_and_loses_none(
    customer, letters, backend, monkeypatch
):
    monkeypatch.setattr(transports, "SMTP_TIMEOUT_SECONDS", 0.3)
    customer.report(customer.card())
    backend.mail.hangs = True
    letters.send()
    hung = letters.log()
    backend.mail.hangs = False

    backend.clock.advance(minutes=1)

    assert len(letters.send()) == 1
    assert hung == [("card_expiring", "sending", "")]


def test_a_mail_of_which_nobody_takes_notice_for_days_is_given_up(
    customer, letters, refusing, backend
):
    refusing("421 not now")
    customer.report(customer.card())
    letters.send()

    backend.clock.advance(days=3, minutes=1)
    letters.send()

    assert letters.log() == [("card_expiring", "not_sent", "expired")]


def test_a_customer_gets_twenty_an_hour_and_the_rest_later_in_order(customer, letters, backend):
    customer.report(*(customer.card(last4=f"{number:04d}") for number in range(25)))

    at_once = len(letters.send())
    backend.clock.advance(minutes=59)
    before = len(letters.send())
    backend.clock.advance(minutes=2)
    after = letters.send()

    assert (at_once, before) == (20, 20)
    assert [mail["Subject"].split()[5] for mail in after] == [f"{n:04d}" for n in range(25)]


def test_what_would_come_a_day_late_does_not_come(customer, letters):
    customer.report(*(customer.card() for _ in range(20 * 25 + 3)))

    letters.deliver()

    waiting = entries(letters.api.backend, letters.api.tenant, COMPOSING)
    assert len(waiting) == 20 * 25
    assert letters.log(limit=3) == [("card_expiring", "not_sent", "limit")] * 3


def test_a_notice_can_be_stopped_by_one_click_and_bills_go_on(customer, letters):
    customer.report(customer.card())
    (notice,) = letters.send()
    link = notice["List-Unsubscribe"].strip("<>")
    path = link.removeprefix("http://localhost:8000")

    looked = letters.api.http.get(path)
    before = letters.suppressions()
    clicked = letters.api.http.post(path, data={"List-Unsubscribe": "One-Click"})
    again = letters.api.http.post(path)
    customer.report(customer.card())
    letters.send()

    assert notice["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link in text_of(notice)
    assert (looked.status_code, before) == (200, [])
    assert (clicked.status_code, again.status_code) == (200, 200)
    assert letters.suppressions() == [(letters.address, "unsubscribed")]
    assert letters.log()[-1] == ("card_expiring", "not_sent", "unsubscribed")


@pytest.mark.parametrize("token", ["x", "AAAA", "é", "A" * 5_000, "AQ" * 60])
def test_a_link_that_we_did_not_make_is_unknown(backend, token):
    url = f"{backend.url}/mail/unsubscribe/{token}"

    looked = httpx.get(url, headers={"Accept-Language": "fr-FR"})
    clicked = httpx.post(url)

    assert (looked.status_code, clicked.status_code) == (404, 404)
    assert "lien" in looked.text


def test_the_page_loads_nothing_and_is_kept_nowhere(customer, letters):
    customer.report(customer.card())
    (notice,) = letters.send()
    path = notice["List-Unsubscribe"].strip("<>").removeprefix("http://localhost:8000")

    page = letters.api.http.get(path)

    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"


def test_a_mail_does_not_end_before_its_server_took_it(customer, letters, backend):
    """As where a process dies after the mail was made: it is still on the agenda."""
    customer.report(customer.card())
    letters.deliver()
    tasks = {task.kind: task for task in backend.services.tasks}
    do(letters.api, tasks[COMPOSING])

    waiting = entries(backend, letters.api.tenant, MAIL)

    assert letters.log() == [("card_expiring", "sending", "")]
    assert len(waiting) == 1
