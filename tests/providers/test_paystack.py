"""Paystack's recorded shapes, and the traps in them."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from monigo.core.errors import DomainError
from monigo.core.money import Money
from monigo.providers import port as p
from monigo.providers.registry import ADAPTERS
from support.simulator import PAYER, account, checkout, lookup, naira, transfer

PAYSTACK = ADAPTERS["paystack"]
KEYS = p.Keys(secret_key="sk_test_4242")
REFERENCE = "mo" + "0" * 30
CARD = {
    "authorization_code": "AUTH_8dfhjjdt", "bin": "408408", "last4": "4081", "exp_month": "12",
    "exp_year": "2030", "channel": "card", "card_type": "visa ", "bank": "TEST BANK",
    "country_code": "NG", "brand": "visa", "reusable": True, "signature": "SIG_idyuhgd87dUYSHO92D",
}  # fmt: skip
PAID = {
    "id": 4099260516, "domain": "test", "status": "success", "reference": REFERENCE,
    "receipt_number": None, "amount": 40333, "message": None, "gateway_response": "Successful",
    "paid_at": "2024-08-22T09:15:02.000Z", "channel": "card", "currency": "NGN", "metadata": "",
    "fees": 10283, "authorization": CARD, "requested_amount": 30050, "plan": None,
    "customer": {"id": 181873746, "email": "ada@example.com", "customer_code": "CUS_1"},
}  # fmt: skip
SENT = {
    "transfersessionid": [], "domain": "test", "amount": 100000, "currency": "NGN",
    "reference": REFERENCE, "source": "balance", "reason": "Bonus", "status": "success",
    "failures": None, "transfer_code": "TRF_v5tip3zx8nna9o78", "id": 860703114,
    "session": {"provider": "nip", "id": "7484"}, "fee_charged": 1000,
}  # fmt: skip


def answered(intent, status, body):
    return PAYSTACK.outcome(intent, p.Answer(status, {}, json.dumps(body).encode()))


def fine(data):
    return {"status": True, "message": "ok", "data": data}


def refusal(message, code="unknown", kind="api_error"):
    return {"status": False, "message": message, "type": kind, "code": code}


def told(event, data):
    return PAYSTACK.facts({}, json.dumps({"event": event, "data": data}).encode())


def charge(**more):
    return p.Charge(
        reference=REFERENCE, amount=naira("300.50"), payer=PAYER, token="AUTH_1", **more
    )


def test_a_checkout_is_asked_for_in_kobo():
    request = PAYSTACK.request(checkout(REFERENCE), KEYS)

    assert (request.method, request.path) == ("POST", ("transaction", "initialize"))
    assert request.authorization == "Bearer sk_test_4242"
    assert request.body == {
        "email": "ada@example.com",
        "amount": 250000,
        "currency": "NGN",
        "reference": REFERENCE,
        "callback_url": "https://shop.example/back",
    }


def test_a_merchants_own_options_never_change_amount_or_reference():
    options = {"amount": 1, "reference": "other", "bearer": "account"}

    body = PAYSTACK.request(charge(options=options), KEYS).body

    assert (body["amount"], body["reference"], body["bearer"]) == (30050, REFERENCE, "account")


def test_what_a_payer_bore_of_the_fee_is_not_theirs():
    fact = answered(charge(), 200, fine(PAID)).fact

    assert fact.amount == naira("300.50")
    assert fact.fee == fact.fee_by_payer == naira("102.83")
    assert fact.occurred_at == datetime(2024, 8, 22, 9, 15, 2, tzinfo=UTC)
    assert (fact.method.token, fact.method.fingerprint) == ("AUTH_8dfhjjdt", CARD["signature"])
    assert fact.method.email == "ada@example.com"


@pytest.mark.parametrize(
    ("paid", "fees", "amount", "borne"),
    [
        (30050, None, "300.50", None),
        (40333, None, "300.50", "102.83"),
        (40333, 0, "403.33", None),
        (31333, 10283, "300.50", "12.83"),
        (100000, 1500, "1000.00", None),
        (3005, 45, "30.05", None),
    ],
)
def test_what_was_paid_beyond_the_fee_is_money(paid, fees, amount, borne):
    fact = answered(charge(), 200, fine({**PAID, "amount": paid, "fees": fees})).fact

    assert fact.amount == naira(amount)
    assert fact.fee_by_payer == (borne and naira(borne))


def test_a_charge_that_failed_answers_200():
    declined = {**PAID, "status": "failed", "gateway_response": "Insufficient Funds"}

    outcome = answered(charge(), 200, fine(declined))

    assert (outcome.code, outcome.is_final) == (p.FailureCode.INSUFFICIENT_FUNDS, True)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Declined", p.FailureCode.DECLINED),
        ("Do not retry: lost card", p.FailureCode.DO_NOT_RETRY),
        ("Pick-up card (stolen)", p.FailureCode.DO_NOT_RETRY),
        ("Account closed", p.FailureCode.DO_NOT_RETRY),
        ("Expired card", p.FailureCode.EXPIRED_METHOD),
        ("Incorrect PIN", p.FailureCode.AUTHENTICATION_FAILED),
        ("Do not honour", p.FailureCode.DECLINED),
    ],
)
def test_a_banks_words_say_whether_to_try_again(said, code):
    declined = {**PAID, "status": "failed", "gateway_response": said}

    assert answered(charge(), 200, fine(declined)).code == code


def test_second_factor_is_a_link():
    data = {"authorization_url": "https://checkout.paystack.com/x", "paused": True,
            "reference": REFERENCE, "access_code": "x"}  # fmt: skip

    outcome = answered(charge(), 200, fine(data))

    assert outcome == p.NeedsAction(url="https://checkout.paystack.com/x", access_code="x")


@pytest.mark.parametrize("status", ["abandoned", "ongoing", "pending", "processing", "queued"])
def test_a_checkout_that_nobody_paid_yet_is_no_failure(status):
    outcome = answered(lookup(p.Kind.CHARGE, REFERENCE), 200, fine({**PAID, "status": status}))

    assert isinstance(outcome, p.Pending)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("success", p.Succeeded),
        ("reversed", p.Reversed),
        ("otp", p.NeedsAction),
        ("received", p.Pending),
        ("pending", p.Pending),
        ("failed", p.Failed),
        ("abandoned", p.Failed),
        ("blocked", p.Failed),
        ("rejected", p.Failed),
        ("something new", p.Unknown),
    ],
)
def test_each_status_of_a_transfer(status, kind):
    outcome = answered(transfer(REFERENCE), 200, fine({**SENT, "status": status}))

    assert type(outcome) is kind


def test_a_transfer_tells_the_banks_session_and_the_fee():
    fact = answered(lookup(p.Kind.TRANSFER, REFERENCE), 200, fine(SENT)).fact

    assert (fact.rail_id, fact.provider_id) == ("7484", "TRF_v5tip3zx8nna9o78")
    assert (fact.amount, fact.fee) == (naira("1000"), naira("10"))


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (400, refusal("Please provide a unique reference. Reference already exists on a transfer",
                      "duplicate_transfer_reference"), p.Cause.DUPLICATE),
        (400, refusal("Your balance is not enough to fulfil this request",
                      "insufficient_balance"), p.FailureCode.INSUFFICIENT_BALANCE),
        (400, refusal("Recipient specified is invalid", "invalid_transfer_recipient"),
         p.FailureCode.INVALID_RECIPIENT),
        (400, refusal("You cannot initiate third party payouts at this time"),
         p.FailureCode.NOT_PERMITTED),
        (401, {"status": False, "message": "Invalid key"}, p.FailureCode.UNAUTHORIZED),
        (400, refusal("Something went wrong", kind="processor_error"), p.Cause.UNRECOGNIZED),
        (200, refusal("An error occurred"), p.Cause.UNRECOGNIZED),
        (400, refusal("Words that nobody has seen"), p.FailureCode.OTHER),
    ],
)  # fmt: skip
def test_each_refusal_of_a_transfer(status, body, outcome):
    found = answered(transfer(REFERENCE), status, body)

    assert (getattr(found, "code", None) or found.cause) == outcome
    assert not getattr(found, "is_final", False)


def test_a_duplicate_charge_means_ask():
    found = answered(charge(), 400, refusal("Duplicate Transaction Reference", "duplicate"))

    assert found.cause is p.Cause.DUPLICATE


@pytest.mark.parametrize("status", [400, 404])
def test_a_transfer_that_is_not_found_may_come_later(status):
    found = answered(
        lookup(p.Kind.TRANSFER, REFERENCE), status, refusal("Transfer not found", "not_found")
    )

    assert found.cause is p.Cause.NOT_FOUND
    assert PAYSTACK.capabilities.not_found is p.NotFound.MAYBE_LATER


def bulk(count=3):
    rows = [transfer(f"mo{number:030d}", recipient=f"RCP_{number}") for number in range(count)]
    return p.Bulk(reference="mo" + "b" * 30, transfers=tuple(rows))


def test_of_a_batch_that_is_refused_only_known_references_may_have_arrived():
    twice = bulk().transfers[1].reference
    body = refusal(f"Duplicate reference(s) found: {twice}")

    outcomes = answered(bulk(), 404, body).result.outcomes

    assert outcomes[twice].cause is p.Cause.DUPLICATE
    assert [one.code for name, one in outcomes.items() if name != twice] == [
        p.FailureCode.BATCH_REFUSED
    ] * 2


def test_a_row_of_a_batch_fails_alone():
    first, second, third = bulk().transfers
    rows = [
        {**SENT, "reference": first.reference, "status": "failed"},
        {**SENT, "reference": second.reference, "status": "pending"},
    ]

    outcomes = answered(bulk(), 200, fine(rows)).result.outcomes

    assert isinstance(outcomes[first.reference], p.Failed)
    assert isinstance(outcomes[second.reference], p.Pending)
    assert isinstance(outcomes[third.reference], p.Unknown)


def test_a_row_whose_account_was_refused_was_never_sent():
    rows = bulk().transfers
    sent = p.Bulk(reference="mo" + "b" * 30, transfers=(transfer(REFERENCE), *rows[1:]))

    body = PAYSTACK.request(sent, KEYS).body
    outcomes = answered(sent, 200, fine([])).result.outcomes

    assert [one["reference"] for one in body["transfers"]] == [one.reference for one in rows[1:]]
    assert outcomes[REFERENCE].code is p.FailureCode.INVALID_RECIPIENT


@pytest.mark.parametrize(
    ("currency", "method", "kind", "number", "sent"),
    [
        ("NGN", p.PayoutMethod.BANK_TRANSFER, "nuban", "0690000031", "0690000031"),
        ("GHS", p.PayoutMethod.MOBILE_MONEY, "mobile_money", "+233551234987", "0551234987"),
        ("KES", p.PayoutMethod.MOBILE_MONEY, "mobile_money", "+254710000000", "0710000000"),
        ("ZAR", p.PayoutMethod.BANK_TRANSFER, "basa", "62001870071", "62001870071"),
    ],
)
def test_accounts_are_made_known_in_their_countrys_form(currency, method, kind, number, sent):
    payee = p.PayoutAccount(method=method, code="MTN", number=number, name="Ada", currency=currency)

    (row,) = PAYSTACK.request(p.Recipients(accounts=(payee,)), KEYS).body["batch"]

    assert (row["type"], row["account_number"]) == (kind, sent)


def test_an_account_that_paystack_does_not_pay_is_refused_before_anything_is_sent():
    with pytest.raises(DomainError):
        PAYSTACK.request(
            p.Recipients(
                accounts=(p.PayoutAccount(code="1", number="1", name="A", currency="XOF"),)
            ),
            KEYS,
        )


@pytest.mark.parametrize("amount", ["5000", 5000])
def test_a_refunds_amount_comes_as_text_or_number(amount):
    (fact,) = told("refund.processed", {
        "status": "processed", "transaction_reference": REFERENCE, "refund_reference": None,
        "amount": amount, "currency": "NGN", "processor": "x", "domain": "test",
    })  # fmt: skip

    assert (fact.kind, fact.state, fact.amount) == (
        p.Kind.REFUND, p.State.SUCCEEDED, naira("50"),
    )  # fmt: skip
    assert fact.charge_reference == REFERENCE


def test_a_refund_carries_our_reference_in_its_note():
    intent = p.Refund(
        reference=REFERENCE, charge_reference="mo" + "1" * 30, charge_id="42", amount=naira("5")
    )

    assert PAYSTACK.request(intent, KEYS).body["merchant_note"] == REFERENCE
    assert PAYSTACK.capabilities.repeat[p.Verb.REFUND] is p.Repeat.PAYS_AGAIN


@pytest.mark.parametrize("metadata", ["", 0, None, '{"a": 1}', {"a": 1}, []])
def test_metadata_may_be_anything(metadata):
    (fact,) = told("charge.success", {**PAID, "metadata": metadata})

    assert fact.amount == naira("300.50")


def test_a_deposit_is_known_by_the_account_and_not_by_the_reference():
    into = {"channel": "dedicated_nuban", "receiver_bank_account_number": "9930000902"}
    (fact,) = told("charge.success", {
        **PAID, "channel": "dedicated_nuban", "reference": "100004240923",
        "requested_amount": 40333, "authorization": {**CARD, **into},
    })  # fmt: skip

    assert (fact.kind, fact.reference, fact.account_number) == (
        p.Kind.DEPOSIT, "", "9930000902",
    )  # fmt: skip
    assert (fact.customer, fact.provider_id) == ("181873746", "4099260516")
    assert (fact.amount, fact.method) == (naira("403.33"), None)


@pytest.mark.parametrize(
    ("event", "state"),
    [
        ("transfer.success", p.State.SUCCEEDED),
        ("transfer.failed", p.State.FAILED),
        ("transfer.reversed", p.State.REVERSED),
    ],
)
def test_events_of_transfers(event, state):
    data = {**SENT, "status": event.partition(".")[2], "integration": {"id": 100043}}

    (fact,) = told(event, data)

    assert (fact.state, fact.reference, fact.rail_id) == (state, REFERENCE, "7484")


@pytest.mark.parametrize(
    ("status", "resolution", "state"),
    [
        ("awaiting-merchant-feedback", None, p.State.PENDING),
        ("resolved", "merchant-accepted", p.State.SUCCEEDED),
        ("resolved", "declined", p.State.FAILED),
    ],
)
def test_a_dispute_that_is_lost_took_the_money_back(status, resolution, state):
    (fact,) = told("charge.dispute.resolve", {
        "id": 2867, "refund_amount": 30050, "currency": "NGN", "status": status,
        "resolution": resolution, "transaction": {"id": 1, "reference": REFERENCE},
    })  # fmt: skip

    assert (fact.kind, fact.state, fact.amount) == (p.Kind.DISPUTE, state, naira("300.50"))


def test_a_transfer_of_the_wrong_sum_was_turned_away():
    (fact,) = told("bank.transfer.rejected", {
        "bank_transfer": {"amount": 1, "message_type": "INCORRECT_AMOUNT", "transaction_id": 7},
    })  # fmt: skip

    assert (fact.state, fact.code) == (p.State.FAILED, p.FailureCode.WRONG_AMOUNT)


@pytest.mark.parametrize(
    "event", ["subscription.create", "invoice.update", "customeridentification.failed", ""]
)
def test_events_of_no_concern_tell_nothing(event):
    assert told(event, {}) == []


RAW = (
    b'{"event":"charge.success","data":{"id":302961,"reference":"inv_2026_000123","amount":250000}}'
)
SIGNED = (
    "8f5a38e5765e9035e013ab76648eed6f2c913e6d8f1ea8310cf5844ef18293e8"
    "1df943d16ece967c62652d5345067c281d2300adb26e9a90f26562bdc6beeb06"
)


@pytest.mark.parametrize(
    ("signature", "raw", "secrets", "verdict"),
    [
        (SIGNED, RAW, ["sk_test_4242"], p.Authenticity.YES),
        (SIGNED, RAW, ["sk_test_new", "sk_test_4242"], p.Authenticity.YES),
        (SIGNED, RAW, ["sk_test_new"], p.Authenticity.NO),
        (SIGNED, RAW + b" ", ["sk_test_4242"], p.Authenticity.NO),
        (SIGNED.upper(), RAW, ["sk_test_4242"], p.Authenticity.NO),
        ("", RAW, ["sk_test_4242"], p.Authenticity.NO),
        ("é", RAW, ["sk_test_4242"], p.Authenticity.NO),
    ],
)
def test_the_bytes_are_signed_by_the_key_or_the_one_before(signature, raw, secrets, verdict):
    headers = {"x-paystack-signature": signature}

    assert PAYSTACK.authentic(headers, raw, secrets) is verdict


def test_banks_have_codes_with_leading_zeros_and_may_share_them():
    rows = [
        {"code": "044", "name": "Access", "active": True},
        {"code": "044", "name": "Access (Diamond)", "active": True},
        {"code": "999", "name": "Gone", "active": False},
    ]

    found = answered(p.Banks(country="NG", currency="NGN"), 200, fine(rows)).result

    assert [one.code for one in found] == ["044", "044"]


def test_a_name_that_was_not_resolved_is_no_outage():
    said = "Could not resolve account name. Check parameters or try again."

    found = answered(p.Resolve(code="044", number="1"), 422, refusal(said))

    assert found.code is p.FailureCode.INVALID_RECIPIENT


def test_balances_are_subunits():
    found = answered(p.Balance(), 200, fine([{"currency": "NGN", "balance": 1700}]))

    assert found.result == (Money(Decimal(17), "NGN"),)


def test_a_list_tells_its_next_page():
    intent = p.ListRefunds(charge_reference=REFERENCE, charge_id="1")
    body = {**fine([]), "meta": {"page": 1, "pageCount": 3}}

    assert answered(intent, 200, body).result.next_page == 2
    assert answered(intent, 200, {**body, "meta": {"page": 3, "pageCount": 3}}).result == (
        p.Facts(())
    )


def test_an_account_that_is_not_made_known_ends_the_transfer_before_it_is_sent():
    preparation = PAYSTACK.prepare(transfer(REFERENCE))
    tokens = p.Tokens({}, {"044:0690000031": "Account details are invalid"})

    outcome = preparation.then(p.Succeeded(result=tokens))

    assert preparation.first == p.Recipients(accounts=(account(),))
    assert outcome == p.Failed(
        code=p.FailureCode.INVALID_RECIPIENT,
        reason="Account details are invalid",
        is_final=False,
    )
