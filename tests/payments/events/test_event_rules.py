"""What becomes of an event, by what its facts are about."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monigo.core.money import Money
from monigo.payments.charges import Applied, AppliedState
from monigo.payments.events import rules
from monigo.payments.events.service import verified
from monigo.payments.events.types import EventState
from monigo.providers.port import Authenticity, Fact, Kind, State
from monigo.providers.registry import ADAPTERS

UNKNOWN = AppliedState.UNKNOWN_REFERENCE
OURS = "mo" + "a" * 30
NOW = datetime(2026, 3, 1, tzinfo=UTC)
PAYSTACK_BODY = (
    b'{"event":"charge.success","data":{"id":302961,"reference":"inv_2026_000123","amount":250000}}'
)
PAYSTACK_SIGNATURE = (
    "8f5a38e5765e9035e013ab76648eed6f2c913e6d8f1ea8310cf5844ef18293e8"
    "1df943d16ece967c62652d5345067c281d2300adb26e9a90f26562bdc6beeb06"
)
MONNIFY_BODY = (
    b'{"eventType":"SUCCESSFUL_TRANSACTION","eventData":{"amountPaid":2500,'
    b'"paymentReference":"inv_2026_000123"}}'
)
MONNIFY_SIGNATURE = (
    "ea134c573d36919efc8a44ab68d88b43247bb1bf01900ff9f9d4aa0cbda3c388"
    "62f8c4b958df93aa784e2f88179dd4ae5512eb8f24defeee0b03f9ab9e53d687"
)


def charge(**more):
    return Fact(kind=Kind.CHARGE, state=State.SUCCEEDED, **more)


def sender(*secrets):
    return SimpleNamespace(secrets=secrets)


@pytest.mark.parametrize(
    ("facts", "made", "state", "is_tried_again"),
    [
        ([charge(reference=OURS)], [AppliedState.APPLIED], EventState.APPLIED, False),
        ([charge(reference=OURS)], [UNKNOWN], EventState.PARKED, True),
        ([charge(reference=OURS)], [AppliedState.REFUSED], EventState.PARKED, False),
        ([charge(reference="shop-7")], [UNKNOWN], EventState.FOREIGN, False),
        ([charge(note=OURS)], [UNKNOWN], EventState.PARKED, True),
        (
            [charge(account_reference=OURS)],
            [UNKNOWN],
            EventState.PARKED,
            True,
        ),
        (
            [charge(charge_reference=OURS)],
            [UNKNOWN],
            EventState.PARKED,
            True,
        ),
        ([], [], EventState.FOREIGN, False),
        (
            [charge(reference=OURS), charge(reference=OURS)],
            [AppliedState.APPLIED, UNKNOWN],
            EventState.PARKED,
            True,
        ),
    ],
)
def test_what_becomes_of_an_event(facts, made, state, is_tried_again):
    judged = rules.judge(facts, [Applied(one) for one in made])

    assert (judged.state, judged.is_tried_again) == (state, is_tried_again)
    assert judged.reason or judged.state is EventState.APPLIED


@given(tries=st.integers(1, 200), age=st.integers(0, 100 * 3600))
def test_an_event_is_tried_again_ever_later_for_three_days(tries, age):
    received_at = NOW - timedelta(seconds=age)

    at = rules.next_try(tries, received_at, NOW)

    assert (at is None) == (age >= 72 * 3600)
    if at is not None:
        assert timedelta(seconds=5) <= at - NOW <= timedelta(hours=1)
        following = rules.next_try(tries + 1, received_at, NOW)
        assert following is not None
        assert following >= at


@pytest.mark.parametrize(
    ("provider", "secret", "body", "header", "signature"),
    [
        ("paystack", "sk_test_4242", PAYSTACK_BODY, "x-paystack-signature", PAYSTACK_SIGNATURE),
        ("monnify", "MONNIFY_TEST_SECRET", MONNIFY_BODY, "monnify-signature", MONNIFY_SIGNATURE),
        ("flutterwave", "my-hash", b"anything", "verif-hash", "my-hash"),
    ],
)
def test_a_webhook_is_its_whose_secret_signed_it(provider, secret, body, header, signature):
    adapter = ADAPTERS[provider]
    own, rotated, other = sender(secret), sender("new-secret", secret), sender("other")
    headers = {header: signature}

    def found(*senders, headers=headers, body=body):
        return [one for one, _ in verified(adapter, senders, headers, body)]

    assert found(other, own) == [own]
    assert found(rotated) == [rotated]
    assert found(own, rotated, other) == [own, rotated]
    assert found(other) == []
    assert found(own, headers={}) == []
    assert found(own, headers={header: signature[:-1] + "x"}) == []
    assert found() == []
    if provider != "flutterwave":
        assert found(own, body=body + b" ") == []


def test_a_secret_that_is_not_known_leaves_it_to_the_providers_word():
    without, other = sender(), sender("other")
    adapter = ADAPTERS["flutterwave"]

    assert verified(adapter, [without, other], {}, b"{}") == [(without, Authenticity.UNVERIFIABLE)]
    assert verified(ADAPTERS["paystack"], [without], {}, b"{}") == []


def test_what_was_claimed_of_a_deposit_is_the_providers_to_say():
    claimed = Fact(
        kind=Kind.DEPOSIT,
        state=State.SUCCEEDED,
        reference=OURS,
        account_reference=OURS,
        account_number="0123456789",
        amount=Money(Decimal(900), "NGN"),
    )
    found = charge(reference=OURS, provider_id="7", amount=Money(Decimal(90), "NGN"))

    confirmed = rules.confirmed(claimed, found)

    assert (confirmed.kind, confirmed.account_reference) == (Kind.DEPOSIT, OURS)
    assert (confirmed.amount, confirmed.account_number) == (found.amount, "")


def test_what_is_kept_in_the_clear_hides_accounts():
    summary = rules.summary_of([charge(account_number="0123456789")], is_confirmed=True)

    assert summary.account == "…6789"
