"""What a member may credit to wallets in a day: nothing, unless the organisation sets a limit."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest

from monigo.core.times import format_instant
from support.api import Api
from support.people import Person

EVENING = datetime(2027, 3, 3, 22, 30, tzinfo=UTC)


@pytest.fixture
def merchant(backend):
    """A member, the owner, and their organisation's wallet by mode, in Lagos, by NGN."""
    with Person.signed_in(backend) as ada, Person.signed_in(backend) as bola:
        org_id = ada.found(country="NG")["organization"]["id"]
        ada.join(bola, org_id)
        with Api.of(backend, UUID(org_id), is_test=True) as api:
            api.customer()
            yield Merchant(ada, bola, api, org_id)
    backend.clock.reset()


class Merchant:
    def __init__(self, owner, member, api, org_id):
        self.owner, self.member, self.api, self.org_id = owner, member, api, org_id
        self.wallet = api.wallet()

    def allow(self, amount):
        answer = self.owner.put(
            f"/organizations/{self.org_id}", json={"member_credit_limit": amount}
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["organization"]

    def credit(self, amount, key, by=None, wallet=None, **fields):
        wallet = wallet or self.wallet
        body = {
            "amount": amount,
            "currency": wallet["currency"],
            "entry_type": "deposit",
            "idempotency_key": key,
            "description": "a gift",
            **fields,
        }
        path = f"/wallets/{wallet['id']}/credit"
        params = {"org_id": self.org_id, "is_test": "true"}
        return (by or self.member).post(path, json=body, params=params)

    def balance(self):
        answer = self.api.get(f"/v1/wallets/{self.wallet['id']}")
        return Decimal(answer.json()["wallet"]["balance"])

    def counted(self):
        rows = self.api.backend.sql(
            "SELECT credited FROM member_credits WHERE org_id = $1 AND is_test", self.api.org_id
        )
        return [row["credited"] for row in rows]


def refusal(answer):
    return answer.status_code, answer.json().get("code")


def test_without_a_limit_a_member_credits_nothing(merchant):
    answer = merchant.credit("1", "gift-1")

    assert refusal(answer) == (403, "role_lacks_right")
    assert (merchant.balance(), merchant.counted()) == (0, [])


def test_a_limit_is_told_as_money_and_nothing_before_it_is_set(merchant):
    before = merchant.owner.get(f"/organizations/{merchant.org_id}").json()["organization"]

    after = merchant.allow("150.5")

    assert before["member_credit_limit"] == "0.000000"
    assert after["member_credit_limit"] == "150.500000"


def test_within_the_limit_a_member_credits_and_beyond_it_does_not(merchant):
    merchant.allow("100")

    answers = [merchant.credit(amount, f"gift-{amount}") for amount in ("60", "40.000001", "40")]
    last = merchant.credit("0.000001", "gift-last")

    assert [answer.status_code for answer in answers] == [200, 403, 200]
    assert refusal(last) == (403, "member_credit_limit")
    assert "100.000000 NGN" in last.json()["error"]
    assert (merchant.balance(), merchant.counted()) == (100, [100])


def test_more_than_the_whole_limit_at_once_is_refused(merchant):
    merchant.allow("100")

    answer = merchant.credit("100.000001", "gift-1")

    assert refusal(answer) == (403, "member_credit_limit")
    assert (merchant.balance(), merchant.counted()) == (0, [])


def test_a_repeat_gets_the_first_answer_and_counts_once(merchant):
    merchant.allow("100")

    first = merchant.credit("60", "gift-1")
    again = merchant.credit("60", "gift-1")
    header = {"Idempotency-Key": "twice"}
    params = {"org_id": merchant.org_id, "is_test": "true"}
    body = {
        "amount": "40",
        "currency": "NGN",
        "entry_type": "deposit",
        "idempotency_key": "gift-2",
        "description": "a gift",
    }
    path = f"/wallets/{merchant.wallet['id']}/credit"
    twice = [merchant.member.post(path, json=body, params=params, headers=header) for _ in range(2)]

    assert again.json() == first.json()
    assert [answer.status_code for answer in twice] == [200, 200]
    assert (merchant.balance(), merchant.counted()) == (100, [100])


def test_what_was_not_credited_is_not_counted(merchant):
    merchant.allow("100")
    merchant.api.patch(f"/v1/wallets/{merchant.wallet['id']}", json={"status": "suspended"})

    answer = merchant.credit("60", "gift-1")

    assert answer.status_code == 409
    assert merchant.counted() == []


def test_another_day_begins_at_midnight_in_the_organisations_zone(merchant):
    merchant.allow("100")
    api = merchant.api
    api.post("/v1/test-clock/advance", json={"to": format_instant(EVENING)})
    before = [merchant.credit("100", "evening"), merchant.credit("1", "too much")]
    api.post("/v1/test-clock/advance", json={"to": format_instant(EVENING + timedelta(minutes=29))})
    just_before = merchant.credit("1", "just before")

    api.post("/v1/test-clock/advance", json={"to": format_instant(EVENING + timedelta(minutes=30))})
    after = merchant.credit("100", "midnight in Lagos")

    assert [answer.status_code for answer in before] == [200, 403]
    assert (just_before.status_code, after.status_code) == (403, 200)
    assert merchant.counted() == [100, 100]


def test_a_lowered_limit_counts_at_once_and_a_raised_one_gives_more(merchant):
    merchant.allow("100")
    merchant.credit("60", "gift-1")

    merchant.allow("50")
    lowered = merchant.credit("1", "gift-2")
    merchant.allow("61")
    raised = merchant.credit("1", "gift-3")
    merchant.allow("0")
    ended = merchant.credit("1", "gift-4")

    assert refusal(lowered) == (403, "member_credit_limit")
    assert raised.status_code == 200
    assert refusal(ended) == (403, "role_lacks_right")
    assert merchant.counted() == [61]


def test_another_currency_than_the_default_one_is_refused(merchant):
    merchant.allow("100")
    wallet = merchant.api.wallet(currency="KES")

    answer = merchant.credit("1", "gift-1", wallet=wallet)

    assert refusal(answer) == (403, "member_credit_limit")
    assert merchant.counted() == []


def test_owners_and_keys_have_no_limit(merchant):
    merchant.allow("1")

    by_owner = merchant.credit("500", "gift-1", by=merchant.owner)
    by_key = merchant.api.move(merchant.wallet, "credit", "500", "deposit")

    assert (by_owner.status_code, by_key.status_code) == (200, 200)
    assert (merchant.balance(), merchant.counted()) == (1000, [])


def test_a_member_may_neither_debit_nor_grant_within_it(merchant):
    merchant.allow("100")
    merchant.credit("50", "gift-1")
    params = {"org_id": merchant.org_id, "is_test": "true"}
    body = {"amount": "1", "currency": "NGN", "idempotency_key": "k"}
    path = f"/wallets/{merchant.wallet['id']}"

    debit = merchant.member.post(
        f"{path}/debit",
        json={**body, "entry_type": "usage", "description": "use"},
        params=params,
    )
    grant = merchant.member.post(f"{path}/credits", json=body, params=params)

    assert [refusal(debit), refusal(grant)] == [(403, "role_lacks_right")] * 2


def test_a_viewer_credits_nothing_whatever_the_limit(merchant, backend):
    merchant.allow("100")
    with Person.signed_in(backend) as viewer:
        merchant.owner.join(viewer, merchant.org_id, "viewer")

        assert refusal(merchant.credit("1", "k", by=viewer)) == (403, "role_lacks_right")


def test_each_member_has_a_limit_of_their_own(merchant, backend):
    merchant.allow("100")
    with Person.signed_in(backend) as other:
        merchant.owner.join(other, merchant.org_id)

        answers = [merchant.credit("100", "a"), merchant.credit("100", "b", by=other)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert merchant.counted() == [100, 100]


def test_modes_are_counted_apart(merchant, backend):
    merchant.allow("100")
    merchant.credit("100", "gift-1")
    with Api.of(backend, merchant.api.org_id, is_test=False) as live:
        live.customer()
        wallet = live.wallet()
        answer = merchant.member.post(
            f"/wallets/{wallet['id']}/credit",
            json={
                "amount": "100",
                "currency": "NGN",
                "entry_type": "deposit",
                "idempotency_key": "gift-1",
                "description": "a gift",
            },
            params={"org_id": merchant.org_id},
        )

    assert answer.status_code == 200, answer.text


def test_a_member_is_told_the_right_only_while_there_is_a_limit(merchant):
    def told():
        (own,) = merchant.member.get("/organizations").json()["organizations"]
        return "wallets:credit" in own["permissions"]

    before = told()
    merchant.allow("100")

    assert (before, told()) == (False, True)


@pytest.mark.parametrize("limit", ["-1", "1000000000000001", "1.0000001", "many", True, "NaN", [1]])
def test_a_limit_that_is_none_is_named(merchant, limit):
    answer = merchant.owner.put(
        f"/organizations/{merchant.org_id}", json={"member_credit_limit": limit}
    )

    assert answer.status_code == 400
    assert list(answer.json()["details"]) == ["member_credit_limit"]


@pytest.mark.parametrize("wallets", [1, 4])
def test_of_many_credits_at_once_no_more_than_the_limit_is_given(merchant, wallets):
    merchant.allow("100")
    places = [merchant.wallet]
    for number in range(1, wallets):
        merchant.api.customer(f"c{number + 1}")
        places.append(merchant.api.wallet(f"c{number + 1}"))

    async def give(number):
        wallet = places[number % wallets]
        return await asyncio.to_thread(merchant.credit, "15", f"gift-{number}", wallet=wallet)

    async def give_at_once():
        return await asyncio.gather(*(give(number) for number in range(12)))

    answers = asyncio.run(give_at_once())

    assert sorted(answer.status_code for answer in answers) == [200] * 6 + [403] * 6
    balances = [
        Decimal(merchant.api.get(f"/v1/wallets/{one['id']}").json()["wallet"]["balance"])
        for one in places
    ]
    assert sum(balances) == 90
    assert merchant.counted() == [90]


@pytest.mark.parametrize("credited", ["100.000001", "0", "-1", "NaN"])
def test_the_database_refuses_what_is_beyond_the_limit(merchant, credited):
    merchant.allow("100")
    merchant.credit("1", "gift-1")

    with pytest.raises(asyncpg.CheckViolationError, match="member_credits_within_limit"):
        merchant.api.backend.sql(
            "UPDATE member_credits SET credited = $2::text::numeric WHERE org_id = $1",
            merchant.api.org_id,
            credited,
        )
