"""Whatever comes back, from whomever: an outcome, and never a guess."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monigo.core.money import Money
from monigo.providers import port as p
from monigo.providers.registry import ADAPTERS
from support.simulator import PAYER, PROVIDERS, account, checkout, lookup, transfer

REFERENCE = "mo" + "0" * 30
OUTCOMES = (p.Succeeded, p.Failed, p.Pending, p.NeedsAction, p.Reversed, p.Unknown)
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
INTENTS = [
    checkout(REFERENCE),
    transfer(REFERENCE, recipient="RCP_1"),
    p.Charge(reference=REFERENCE, amount=Money(Decimal(5), "NGN"), payer=PAYER, token="AUTH_1"),
    p.DisableCheckout(reference=REFERENCE, url="https://pay.example/1"),
    p.Refund(
        reference=REFERENCE,
        charge_reference="mo" + "1" * 30,
        charge_id="1",
        amount=Money(Decimal(5), "NGN"),
    ),
    p.Bulk(reference=REFERENCE, transfers=(transfer("mo" + "2" * 30, recipient="RCP_1"),)),
    p.Authorize(reference=REFERENCE, provider_id="TRF_1", otp="123456"),
    p.ResendOtp(reference=REFERENCE, provider_id="TRF_1"),
    p.VirtualAccount(reference=REFERENCE, currency="NGN", payer=PAYER, customer="1"),
    p.CloseVirtualAccount(reference=REFERENCE, provider_id="1"),
    p.ForgetMethod(token="AUTH_1"),
    p.Resolve(code="044", number="0690000031"),
    p.Banks(country="NG", currency="NGN"),
    p.Balance(),
    *(lookup(kind, REFERENCE, "1") for kind in p.Kind),
    p.ListRows(verb=p.Verb.LIST_CHARGES, since=SINCE, until=SINCE),
    p.ListRows(verb=p.Verb.LIST_TRANSFERS, since=SINCE, until=SINCE),
    p.ListRefunds(charge_reference=REFERENCE, charge_id="1"),
    p.ListDeposits(account_reference=REFERENCE, account_number="0690000031"),
    p.Recipients(accounts=(account(),)),
    p.Customer(payer=PAYER),
]
ASKED = [
    pytest.param(name, intent, id=f"{name}-{intent.verb}-{getattr(intent, 'kind', '')}")
    for name in PROVIDERS
    for intent in INTENTS
    if intent.verb in ADAPTERS[name].capabilities.verbs
]
MOVES = [one for one in ASKED if one.values[1].verb in p.MOVES_MONEY]
NAMES = st.sampled_from(
    ["status", "data", "message", "code", "amount", "currency", "reference", "tx_ref", "meta",
     "authorization", "requestSuccessful", "responseBody", "responseCode", "responseMessage",
     "content", "accounts", "paymentStatus", "amountPaid", "event", "eventType", "eventData",
     "event.type", "txRef", "customer", "id", "session", "card", "success", "errors", "paidOn"]
)  # fmt: skip
WORDS = st.sampled_from(
    ["success", "SUCCESS", "successful", "failed", "PAID", "error", "charge.success", "NGN", "NEW",
     "transfer.completed", "charge.completed", "SUCCESSFUL_TRANSACTION", "18/11/2020 02:31:21 PM",
     REFERENCE, "99", "otp", "FAILED", "0", ""]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=8),
    max_leaves=24,
)
BODIES = st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode())
STATUSES = st.sampled_from([200, 201, 202, 301, 400, 401, 403, 404, 408, 409, 422, 429, 500, 503])


@pytest.mark.parametrize(("provider", "intent"), ASKED)
@settings(max_examples=20)
@given(status=STATUSES, body=BODIES)
def test_whatever_comes_back_is_an_outcome(provider, intent, status, body):
    outcome = ADAPTERS[provider].outcome(intent, p.Answer(status, {}, body))

    assert isinstance(outcome, OUTCOMES)


@pytest.mark.parametrize("provider", PROVIDERS)
@settings(max_examples=100)
@given(body=BODIES)
def test_whatever_is_sent_to_us_is_a_list_of_facts(provider, body):
    found = ADAPTERS[provider].facts({}, body)

    assert all(isinstance(one, p.Fact) for one in found)


NO_ANSWERS = [
    (200, b""),
    (200, b"<html>busy</html>"),
    (200, b"[]"),
    (200, b"null"),
    (200, b'{"status": true'),
    (200, b"\xff\xfe"),
    (200, b"[" * 100_000),
    (302, b'{"status": true, "data": {}}'),
    (408, b'{"status": false, "message": "required"}'),
    (429, b'{"status": false, "message": "limit"}'),
    (500, b'{"status": false, "message": "insufficient balance"}'),
    (502, b"<h1>Bad Gateway</h1>"),
    (400, b"<h1>Bad Request</h1>"),
]


@pytest.mark.parametrize(("provider", "intent"), ASKED)
def test_what_is_no_answer_of_the_providers_leaves_it_unknown(provider, intent):
    outcomes = [
        (status, body[:30], ADAPTERS[provider].outcome(intent, p.Answer(status, {}, body)))
        for status, body in NO_ANSWERS
    ]

    assert [each for each in outcomes if not isinstance(each[-1], p.Unknown)] == []


@pytest.mark.parametrize(("provider", "intent"), MOVES)
def test_a_status_that_nobody_knows_is_unknown(provider, intent):
    outcomes = {
        word: _one(intent, ADAPTERS[provider].outcome(intent, _with_status(provider, intent, word)))
        for word in ("sucess", "QUEUED_AGAIN", "", "true", None)
    }

    assert {word: one for word, one in outcomes.items() if not isinstance(one, p.Unknown)} == {}


def _with_status(provider, intent, word):
    """An answer of success, but for the status of what was asked."""
    rows = {
        "status": word,
        "paymentStatus": word,
        "refundStatus": word,
        "reference": intent.reference,
        "tx_ref": intent.reference,
        "paymentReference": intent.reference,
        "refundReference": intent.reference,
    }
    envelopes = {
        "paystack": {"status": True, "data": rows},
        "flutterwave": {"status": "success", "data": rows},
        "monnify": {"requestSuccessful": True, "responseBody": rows},
    }
    return p.Answer(200, {}, json.dumps(envelopes[provider]).encode())


def _one(intent, outcome):
    if not isinstance(outcome, p.Succeeded) or not isinstance(outcome.result, p.Batch):
        return outcome
    return outcome.result.outcomes[intent.transfers[0].reference]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("kind", [p.Kind.CHARGE, p.Kind.TRANSFER])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_question_that_is_refused_fails_nothing(provider, kind, status):
    body = b'{"status": false, "message": "insufficient balance", "responseCode": "D06"}'

    outcome = ADAPTERS[provider].outcome(lookup(kind, REFERENCE), p.Answer(status, {}, body))

    assert isinstance(outcome, p.Unknown)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_answer_about_another_reference_decides_nothing(provider):
    other = "mo" + "f" * 30
    row = {"status": "success", "reference": other, "tx_ref": other, "paymentReference": other}
    bodies = {
        "paystack": {"status": True, "data": row},
        "flutterwave": {"status": "success", "data": {**row, "status": "SUCCESSFUL"}},
        "monnify": {"requestSuccessful": True, "responseBody": {**row, "status": "SUCCESS"}},
    }

    answer = p.Answer(200, {}, json.dumps(bodies[provider]).encode())
    outcome = ADAPTERS[provider].outcome(transfer(REFERENCE, recipient="RCP_1"), answer)

    assert isinstance(outcome, p.Unknown)
