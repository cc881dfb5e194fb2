"""Monnify's recorded shapes, and the traps in them."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from monigo.providers import port as p
from monigo.providers.registry import ADAPTERS
from support.simulator import KEYS, PAYER, checkout, lookup, naira, transfer

MONNIFY = ADAPTERS["monnify"]
REFERENCE = "mo" + "0" * 30
OWN = "MNFY|04|20211117112842|000170"
PAID = {
    "transactionReference": OWN, "paymentReference": REFERENCE, "amountPaid": "100.00",
    "totalPayable": "100.00", "settlementAmount": "99.21", "paidOn": "18/11/2020 02:31:21 PM",
    "paymentStatus": "PAID", "currency": "NGN", "paymentMethod": "CARD",
    "product": {"type": "WEB_SDK", "reference": REFERENCE},
    "cardDetails": {"cardType": "MASTERCARD", "last4": "2950", "expMonth": "09", "expYear": "32",
                    "reusable": True, "cardToken": "MNFY_1", "supportsTokenization": True},
    "customer": {"email": "ada@example.com", "name": "Ada"},
}  # fmt: skip
DEPOSIT = {
    "product": {"reference": "cust-0001", "type": "RESERVED_ACCOUNT"},
    "transactionReference": OWN, "paymentReference": OWN, "paidOn": "2021-11-17 11:28:42.615",
    "paymentSourceInformation": [{"amountPaid": 3000, "sessionId": "090", "bankCode": ""}],
    "destinationAccountInformation": {"bankCode": "232", "accountNumber": "6000140770"},
    "amountPaid": 3000, "totalPayable": 3000, "settlementAmount": "2990.00",
    "paymentStatus": "PAID", "currency": "NGN", "cardDetails": {},
}  # fmt: skip
SENT = {
    "amount": 10, "reference": REFERENCE, "status": "SUCCESS", "totalFee": 8,
    "dateCreated": "2021-03-17T03:23:32.000+0000", "sessionId": "",
}  # fmt: skip


def answered(intent, status, body):
    return MONNIFY.outcome(intent, p.Answer(status, {}, json.dumps(body).encode()))


def fine(body):
    return {"requestSuccessful": True, "responseMessage": "success", "responseCode": "0",
            "responseBody": body}  # fmt: skip


def refusal(code, message):
    return {"requestSuccessful": False, "responseMessage": message, "responseCode": code}


def told(event, data):
    return MONNIFY.facts({}, json.dumps({"eventType": event, "eventData": data}).encode())


def test_a_checkout_names_the_contract():
    body = MONNIFY.request(checkout(REFERENCE), KEYS["monnify"]).body

    assert body["contractCode"] == "4934121686"
    assert (body["paymentReference"], body["currencyCode"]) == (REFERENCE, "NGN")
    assert str(body["amount"]) == "2500.00"


def test_amounts_are_text_in_one_answer_and_numbers_in_another():
    read = answered(lookup(p.Kind.CHARGE, REFERENCE), 200, fine(PAID)).fact
    (heard,) = told("SUCCESSFUL_TRANSACTION", {**PAID, "amountPaid": 100})

    assert read.amount == heard.amount == naira("100")
    assert read.fee == naira("0.79")


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("18/11/2020 02:31:21 PM", datetime(2020, 11, 18, 13, 31, 21, tzinfo=UTC)),
        ("17/03/2021 3:23:38 AM", datetime(2021, 3, 17, 2, 23, 38, tzinfo=UTC)),
        ("2021-11-17 11:28:42.615", datetime(2021, 11, 17, 10, 28, 42, 615000, tzinfo=UTC)),
        ("2021-11-17T11:28:42.615+0000", datetime(2021, 11, 17, 11, 28, 42, 615000, tzinfo=UTC)),
        ("2021-11-17T11:28:42Z", datetime(2021, 11, 17, 11, 28, 42, tzinfo=UTC)),
        ("yesterday", None),
        ("0001-01-01 00:00:00", None),
    ],
)
def test_instants_without_a_zone_are_lagoss(written, instant):
    (fact,) = told("SUCCESSFUL_TRANSACTION", {**PAID, "paidOn": written})

    assert fact.occurred_at == instant


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("PAID", p.Succeeded),
        ("OVERPAID", p.Succeeded),
        ("PARTIALLY_PAID", p.Succeeded),
        ("PENDING", p.Pending),
        ("REVERSED", p.Reversed),
        ("EXPIRED", p.Failed),
        ("CANCELLED", p.Failed),
        ("SOMETHING_NEW", p.Unknown),
    ],
)
def test_what_is_paid_in_part_or_too_much_is_money_too(status, kind):
    found = answered(lookup(p.Kind.CHARGE, REFERENCE), 200, fine({**PAID, "paymentStatus": status}))

    assert type(found) is kind


def test_a_transfer_that_failed_comes_in_an_envelope_of_success():
    row = {**SENT, "status": "FAILED", "comment": "You do not have sufficient balance to process"}

    found = answered(transfer(REFERENCE), 200, fine(row))

    assert (found.code, found.is_final) == (p.FailureCode.INSUFFICIENT_BALANCE, True)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("SUCCESS", p.Succeeded),
        ("COMPLETED", p.Succeeded),
        ("AWAITING_PROCESSING", p.Pending),
        ("IN_PROGRESS", p.Pending),
        ("PENDING_AUTHORIZATION", p.NeedsAction),
        ("OTP_EMAIL_DISPATCH_FAILED", p.NeedsAction),
        ("EXPIRED", p.Failed),
        ("REVERSED", p.Reversed),
        ("SOMETHING_NEW", p.Unknown),
    ],
)
def test_each_status_of_a_transfer(status, kind):
    assert type(answered(transfer(REFERENCE), 200, fine({**SENT, "status": status}))) is kind


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, refusal("D07", "Duplicate transaction, try again in 2 minutes"), p.Cause.DUPLICATE),
        (400, refusal("99", "Duplicate reference: it already exists"), p.Cause.DUPLICATE),
        (403, refusal("D06", "IP address is not whitelisted"), p.FailureCode.ADDRESS_NOT_ALLOWED),
        (400, refusal("D01", "destinationAccountName"), p.FailureCode.INVALID_REQUEST),
        (200, refusal("D77", "words that nobody has seen"), p.Cause.UNRECOGNIZED),
        (401, {"error": "invalid_token", "error_description": "Cannot convert access token"},
         p.FailureCode.UNAUTHORIZED),
    ],
)  # fmt: skip
def test_each_refusal_of_a_transfer(status, body, outcome):
    found = answered(transfer(REFERENCE), status, body)

    assert (getattr(found, "code", None) or found.cause) == outcome
    assert not getattr(found, "is_final", False)


@pytest.mark.parametrize(
    ("code", "said", "outcome"),
    [
        ("R1", "Transaction not found", p.FailureCode.NOT_FOUND),
        ("R9", "Duplicate", p.Cause.DUPLICATE),
        ("R12", "Total refund amount exceeds", p.FailureCode.LIMIT_EXCEEDED),
        ("R5", "words that nobody has seen", p.FailureCode.OTHER),
    ],
)
def test_each_refusal_of_a_refund(code, said, outcome):
    intent = p.Refund(reference=REFERENCE, charge_reference="r", charge_id=OWN, amount=naira("100"))

    found = answered(intent, 400, refusal(code, said))

    assert (getattr(found, "code", None) or found.cause) == outcome


def test_the_same_payee_and_amount_want_two_minutes_between_them():
    assert MONNIFY.capabilities.same_transfer_gap == timedelta(minutes=2)


def test_a_deposit_tells_our_reference_of_the_account_and_the_banks_session():
    (fact,) = told("SUCCESSFUL_TRANSACTION", DEPOSIT)

    assert (fact.kind, fact.reference, fact.account_reference) == (
        p.Kind.DEPOSIT, "", "cust-0001",
    )  # fmt: skip
    assert (fact.account_number, fact.rail_id, fact.provider_id) == ("6000140770", "090", OWN)
    assert (fact.amount, fact.fee) == (naira("3000"), naira("10"))


def test_the_source_of_a_payment_may_be_one_or_a_list():
    (fact,) = told("SUCCESSFUL_TRANSACTION", {**DEPOSIT, "paymentSourceInformation":
                                              {"sessionId": "091"}})  # fmt: skip

    assert fact.rail_id == "091"


def test_a_payment_that_was_turned_away_says_why():
    (fact,) = told("REJECTED_PAYMENT", {
        **DEPOSIT, "paymentRejectionInformation": {"rejectionReason": "UNDER_PAYMENT",
                                                   "destinationAccountNumber": "6000140770"},
    })  # fmt: skip

    assert (fact.state, fact.code) == (p.State.FAILED, p.FailureCode.WRONG_AMOUNT)
    assert fact.account_number == "6000140770"


@pytest.mark.parametrize(
    ("event", "status", "state"),
    [
        ("SUCCESSFUL_DISBURSEMENT", "SUCCESS", p.State.SUCCEEDED),
        ("FAILED_DISBURSEMENT", "FAILED", p.State.FAILED),
        ("REVERSED_DISBURSEMENT", "REVERSED", p.State.REVERSED),
    ],
)
def test_events_of_transfers(event, status, state):
    (fact,) = told(event, {**SENT, "status": status, "fee": 8, "sessionId": "77"})

    assert (fact.state, fact.reference, fact.rail_id) == (state, REFERENCE, "77")


def test_events_of_refunds():
    row = {"transactionReference": OWN, "refundReference": REFERENCE, "refundAmount": 100}

    (fact,) = told("SUCCESSFUL_REFUND", {**row, "refundStatus": "COMPLETED"})

    assert (fact.kind, fact.state, fact.reference, fact.charge_id) == (
        p.Kind.REFUND, p.State.SUCCEEDED, REFERENCE, OWN,
    )  # fmt: skip


@pytest.mark.parametrize("event", ["SETTLEMENT", "MANDATE_UPDATE", "LOW_BALANCE_ALERT", ""])
def test_events_of_no_concern_tell_nothing(event):
    assert told(event, {}) == []


RAW = (
    b'{"eventType":"SUCCESSFUL_TRANSACTION","eventData":'
    b'{"amountPaid":2500,"paymentReference":"inv_2026_000123"}}'
)
SIGNED = (
    "ea134c573d36919efc8a44ab68d88b43247bb1bf01900ff9f9d4aa0cbda3c388"
    "62f8c4b958df93aa784e2f88179dd4ae5512eb8f24defeee0b03f9ab9e53d687"
)


@pytest.mark.parametrize(
    ("signature", "secrets", "verdict"),
    [
        (SIGNED, ["MONNIFY_TEST_SECRET"], p.Authenticity.YES),
        (SIGNED, ["new", "MONNIFY_TEST_SECRET"], p.Authenticity.YES),
        (SIGNED, ["new"], p.Authenticity.NO),
        ("", ["MONNIFY_TEST_SECRET"], p.Authenticity.NO),
    ],
)
def test_the_bytes_are_signed_by_the_secret_or_the_one_before(signature, secrets, verdict):
    assert MONNIFY.authentic({"monnify-signature": signature}, RAW, secrets) is verdict


def test_a_log_in_shows_key_and_secret_and_brings_a_token():
    request = MONNIFY.login.request(p.Keys(secret_key="s", public_key="MK_TEST_1"))
    answer = json.dumps(fine({"accessToken": "t", "expiresIn": 3567})).encode()

    assert (request.path, request.body) == (("api", "v1", "auth", "login"), None)
    assert request.authorization == "Basic TUtfVEVTVF8xOnM="
    assert MONNIFY.login.token(p.Answer(200, {}, answer)) == p.Token("t", timedelta(seconds=3567))


@pytest.mark.parametrize("body", [b"", b"{}", b'{"responseBody": {"accessToken": "t"}}'])
def test_a_log_in_without_a_token_is_none(body):
    assert MONNIFY.login.token(p.Answer(200, {}, body)) is None


def test_a_reserved_account_that_exists_is_looked_up():
    intent = p.VirtualAccount(reference=REFERENCE, currency="NGN", payer=PAYER, nin="1")

    found = answered(intent, 422, refusal("99", "Account with this reference already exists"))

    assert found.cause is p.Cause.DUPLICATE
    assert (
        MONNIFY.request(lookup(p.Kind.VIRTUAL_ACCOUNT, REFERENCE), KEYS["monnify"]).path[-1]
        == REFERENCE
    )


def test_one_rows_failure_in_a_batch_is_its_own():
    intent = p.Bulk(reference="mo" + "b" * 30, transfers=(transfer(REFERENCE),))

    body = MONNIFY.request(intent, KEYS["monnify"]).body

    assert body["onValidationFailure"] == "CONTINUE"


def test_a_refunds_texts_are_as_short_as_they_must_be():
    intent = p.Refund(
        reference=REFERENCE, charge_reference="r", charge_id=OWN, amount=naira("100"),
        reason="a" * 200,
    )  # fmt: skip

    body = MONNIFY.request(intent, KEYS["monnify"]).body

    assert (len(body["refundReason"]), len(body["customerNote"])) == (64, 16)
