"""What is asked of a provider about an account, and what its answers make of it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from monigo.payments.accounts import AccountState, Identity, VirtualAccount
from monigo.payments.accounts.rules import (
    ASKED_MAX,
    Ended,
    Opened,
    Refused,
    Unsent,
    Unsure,
    ask_again_at,
    asks_by_itself,
    change_of,
    field_of,
    is_under_way,
    list_again_at,
)
from monigo.providers import port as p
from monigo.providers.port import Cause, FailureCode, Repeat

NOW = datetime(2026, 6, 16, 12, tzinfo=UTC)
IDENTITY = Identity("22245678901", "98765432109")
OPENED = p.OpenedAccount(
    account_number="9930000001", account_name="ADA OBI", bank_name="Wema Bank", currency="NGN"
)


def account(state=AccountState.SUBMITTED, **fields):
    told = {
        "submitted_at": NOW,
        "opened_at": None,
        "last_used_at": None,
        "closed_at": None,
        "asked": 0,
    } | fields
    return VirtualAccount(
        id=UUID(int=1),
        customer_id=UUID(int=2),
        wallet_id=UUID(int=3),
        connection_id=UUID(int=4),
        provider="monnify",
        currency="NGN",
        reference="mo1",
        state=state,
        account_number="",
        account_name="",
        bank_name="",
        bank_code="",
        provider_id="",
        provider_customer="",
        failure_field="",
        failure_reason="",
        created_at=NOW,
        updated_at=NOW,
        **told,
    )


def failed(code=FailureCode.INVALID_REQUEST, reason="email is required"):
    return p.Failed(code=code, reason=reason, is_final=False)


ANSWERS = [
    (p.Succeeded(result=OPENED), False, Opened(OPENED)),
    (p.Succeeded(result=OPENED), True, Opened(OPENED)),
    (failed(), False, Refused("customer.email", "email is required")),
    (failed(), True, Unsure()),
    (failed(FailureCode.NOT_SENT, "refused"), False, Unsent()),
    (failed(FailureCode.LIMIT_EXCEEDED, "limit"), False, Unsent()),
    (p.Unknown(cause=Cause.TIMED_OUT), False, Unsure()),
    (p.Unknown(cause=Cause.NOT_FOUND), True, Unsure()),
    (p.Pending(), False, Unsure()),
    (p.Succeeded(), False, Unsure()),
]


@pytest.mark.parametrize(("outcome", "is_question", "change"), ANSWERS)
def test_an_answer_opens_refuses_or_leaves_open(outcome, is_question, change):
    assert change_of(account(), outcome, IDENTITY, is_question=is_question) == change


def test_an_account_in_another_currency_is_refused():
    other = p.Succeeded(result=replace(OPENED, currency="GHS"))

    change = change_of(account(), other, IDENTITY, is_question=False)

    assert isinstance(change, Refused)
    assert change.field == "currency"


def test_a_reason_repeats_no_proof_of_identity():
    said = f"BVN {IDENTITY.bvn} does not match NIN {IDENTITY.nin} of 0690000031"

    change = change_of(account(), failed(reason=said), IDENTITY, is_question=False)

    assert change == Refused("bvn", "BVN … does not match NIN … of …0031")


@pytest.mark.parametrize(
    ("outcome", "change"),
    [
        (p.Succeeded(), Ended()),
        (failed(FailureCode.NOT_FOUND, "not found"), Ended()),
        (failed(), Unsure()),
        (p.Unknown(cause=Cause.SERVER_ERROR), Unsure()),
    ],
)
def test_an_account_is_closed_by_the_providers_word_only(outcome, change):
    assert change_of(account(AccountState.CLOSING), outcome, IDENTITY, is_question=False) == change


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ("Please provide your BVN", "bvn"),
        ("NIN is required", "nin"),
        ("Customer phone number is required", "customer.phone"),
        ("Invalid E-mail", "customer.email"),
        ("feature not available", "provider"),
    ],
)
def test_a_refusal_is_about_the_field_it_names(said, field):
    assert field_of(said) == field


def test_who_waits_for_an_answer_is_left_to_it_for_a_minute():
    assert is_under_way(account(), NOW + timedelta(seconds=59))
    assert not is_under_way(account(), NOW + timedelta(seconds=60))
    assert not is_under_way(account(AccountState.UNKNOWN), NOW)


@pytest.mark.parametrize(
    ("state", "repeat", "is_asked"),
    [
        (AccountState.UNKNOWN, Repeat.REJECTS, True),
        (AccountState.SUBMITTED, Repeat.RETURNS_FIRST, True),
        (AccountState.UNKNOWN, Repeat.PAYS_AGAIN, False),
        (AccountState.CREATED, Repeat.REJECTS, False),
        (AccountState.ACTIVE, Repeat.REJECTS, False),
        (AccountState.CLOSING, Repeat.PAYS_AGAIN, True),
    ],
)
def test_only_what_needs_no_proof_of_identity_is_asked_by_itself(state, repeat, is_asked):
    assert asks_by_itself(account(state), repeat) is is_asked


def test_questions_come_ever_later_and_end_after_three_days():
    waits = [ask_again_at(asked, NOW) for asked in range(ASKED_MAX)]

    assert [int((at - NOW).total_seconds()) for at in waits[:6]] == [5, 20, 60, 300, 900, 3600]
    assert sum((at - NOW for at in waits), timedelta()) >= timedelta(hours=72)
    assert ask_again_at(ASKED_MAX, NOW) is None


@pytest.mark.parametrize(
    ("fields", "wait"),
    [
        ({"opened_at": NOW}, timedelta(minutes=15)),
        ({"opened_at": NOW - timedelta(days=8)}, timedelta(days=1)),
        ({"opened_at": NOW - timedelta(days=8), "last_used_at": NOW}, timedelta(minutes=15)),
        ({"opened_at": NOW, "closed_at": NOW}, timedelta(minutes=15)),
        ({"opened_at": NOW, "closed_at": NOW - timedelta(days=7)}, None),
    ],
)
def test_what_was_used_lately_is_listed_often(fields, wait):
    again_at = list_again_at(account(AccountState.ACTIVE, **fields), NOW)

    assert again_at == (None if wait is None else NOW + wait)
