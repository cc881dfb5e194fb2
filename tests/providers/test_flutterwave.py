"""Flutterwave's recorded shapes, and the traps in them."""

import json
from decimal import Decimal

import pytest

from monigo.core.money import Money
from monigo.providers import port as p
from monigo.providers.registry import ADAPTERS
from support.simulator import PAYER, checkout, lookup, naira, transfer

FLUTTERWAVE = ADAPTERS["flutterwave"]
KEYS = p.Keys(secret_key="FLWSECK_TEST-1-X")
REFERENCE = "mo" + "0" * 30
PAID = {
    "id": 285959875, "tx_ref": REFERENCE, "flw_ref": "F", "amount": 100, "currency": "NGN",
    "charged_amount": Decimal("101.4"), "app_fee": Decimal("1.4"), "merchant_fee": 0,
    "processor_response": "Approved by Financial Institution", "status": "successful",
    "payment_type": "card", "created_at": "2020-07-06T19:17:04.000Z",
    "customer": {"id": 215604089, "email": "ada@example.com"},
    "card": {"first_6digits": "553188", "last_4digits": "2950", "issuer": "X", "country": "NG",
             "type": "MASTERCARD", "token": "flw-t1nf-1-m03k", "expiry": "09/32"},
}  # fmt: skip
SENT = {
    "id": 33286, "account_number": "0690000033", "bank_code": "044", "full_name": "Ada",
    "currency": "NGN", "amount": 30020, "fee": Decimal("26.875"), "status": "NEW",
    "reference": REFERENCE, "complete_message": "", "requires_approval": 0, "is_approved": 1,
}  # fmt: skip


def encoded(body):
    return json.dumps(body, default=float).encode()


def answered(intent, status, body):
    return FLUTTERWAVE.outcome(intent, p.Answer(status, {}, encoded(body)))


def fine(data):
    return {"status": "success", "message": "ok", "data": data}


def refusal(message):
    return {"status": "error", "message": message, "data": None}


def told(event, data, kind="CARD_TRANSACTION"):
    return FLUTTERWAVE.facts({}, encoded({"event": event, "data": data, "event.type": kind}))


def charge():
    return p.Charge(reference=REFERENCE, amount=naira("100"), payer=PAYER, token="flw-t1")


def test_a_checkout_is_asked_for_in_naira():
    request = FLUTTERWAVE.request(checkout(REFERENCE), KEYS)

    assert (request.method, request.path) == ("POST", ("payments",))
    assert request.body["amount"] == Decimal("2500.00")
    assert request.body["tx_ref"] == REFERENCE
    assert request.body["customer"]["email"] == "ada@example.com"


def test_what_a_payer_bore_of_the_fee_is_not_theirs():
    fact = answered(charge(), 200, fine(PAID)).fact

    assert (fact.amount, fact.fee, fact.fee_by_payer) == (
        naira("100"), naira("1.40"), naira("1.40"),
    )  # fmt: skip
    assert (fact.method.token, fact.method.exp_month, fact.method.exp_year) == (
        "flw-t1nf-1-m03k", "09", "2032",
    )  # fmt: skip


def test_a_charge_that_failed_is_told_as_completed():
    (fact,) = told("charge.completed", {**PAID, "status": "failed",
                                        "processor_response": "Insufficient Funds"})  # fmt: skip

    assert (fact.state, fact.code) == (p.State.FAILED, p.FailureCode.INSUFFICIENT_FUNDS)


def test_a_transfer_that_failed_is_told_as_completed():
    (fact,) = told("transfer.completed", {**SENT, "status": "FAILED", "fullname": "Ada",
                   "complete_message": "DISBURSE FAILED: Insufficient funds in customer wallet"},
                   "Transfer")  # fmt: skip

    assert (fact.state, fact.code) == (p.State.FAILED, p.FailureCode.INSUFFICIENT_BALANCE)
    assert (fact.is_final, fact.reference) == (True, REFERENCE)


def test_a_fee_of_three_decimals_is_kept():
    (fact,) = told("transfer.completed", {**SENT, "status": "SUCCESSFUL"}, "Transfer")

    assert fact.fee == Money(Decimal("26.875"), "NGN")


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"status": "NEW"}, p.Pending),
        ({"status": "PENDING"}, p.Pending),
        ({"status": "SUCCESSFUL"}, p.Succeeded),
        ({"status": "FAILED"}, p.Failed),
        ({"status": "NEW", "requires_approval": 1, "is_approved": 0}, p.NeedsAction),
        ({"status": "something new"}, p.Unknown),
    ],
)
def test_each_status_of_a_transfer(row, kind):
    outcome = answered(transfer(REFERENCE), 200, fine({**SENT, **row}))

    assert type(outcome) is kind
    assert not getattr(outcome, "needs_otp", False)


@pytest.mark.parametrize(
    ("status", "said", "outcome"),
    [
        (400, "Transfer with reference already exists", p.Cause.DUPLICATE),
        (400, "Payout was made to a blacklisted account number", p.FailureCode.INVALID_RECIPIENT),
        (400, "account_bank is required", p.FailureCode.INVALID_REQUEST),
        (400, "Please enable IP Whitelisting to access this service",
         p.FailureCode.ADDRESS_NOT_ALLOWED),
        (401, "Authorization required", p.FailureCode.UNAUTHORIZED),
        (400, "Insufficient funds in wallet", p.FailureCode.INSUFFICIENT_BALANCE),
        (400, "Words that nobody has seen", p.Cause.UNRECOGNIZED),
        (200, "An error occurred", p.Cause.UNRECOGNIZED),
    ],
)  # fmt: skip
def test_words_that_nobody_knows_decide_nothing(status, said, outcome):
    found = answered(transfer(REFERENCE), status, refusal(said))

    assert (getattr(found, "code", None) or found.cause) == outcome


def test_a_transfer_is_looked_up_in_a_list_whose_filter_is_no_promise():
    intent = lookup(p.Kind.TRANSFER, REFERENCE)
    other = {**SENT, "reference": "somebody-else", "status": "SUCCESSFUL"}

    request = FLUTTERWAVE.request(intent, KEYS)

    assert (request.path, request.query) == (("transfers",), {"reference": REFERENCE})
    assert answered(intent, 200, fine([other])).cause is p.Cause.NOT_FOUND
    assert isinstance(answered(intent, 200, fine([other, SENT])), p.Pending)


@pytest.mark.parametrize(
    ("status", "said"),
    [(400, "No transaction was found for this id"), (400, "Invalid Transaction ID"), (404, "x")],
)
def test_a_charge_that_is_not_found_may_come_later(status, said):
    found = answered(lookup(p.Kind.CHARGE, REFERENCE), status, refusal(said))

    assert found.cause is p.Cause.NOT_FOUND


def test_the_banks_field_is_called_otherwise_in_bulk():
    row = transfer(REFERENCE)
    single = FLUTTERWAVE.request(row, KEYS).body
    (bulk,) = FLUTTERWAVE.request(p.Bulk(reference="b", transfers=(row,)), KEYS).body["bulk_data"]

    assert (single["account_bank"], bulk["bank_code"]) == ("044", "044")
    assert "bank_code" not in single
    assert "account_bank" not in bulk


def test_a_phone_is_paid_without_its_plus():
    payee = p.PayoutAccount(
        method=p.PayoutMethod.MOBILE_MONEY, code="MTN", number="+233551234987", name="A",
        currency="GHS",
    )  # fmt: skip
    intent = p.Transfer(reference=REFERENCE, amount=Money(Decimal(5), "GHS"), account=payee)

    assert FLUTTERWAVE.request(intent, KEYS).body["account_number"] == "233551234987"


def test_deposits_of_one_account_differ_by_their_id_alone():
    rows = [{**PAID, "id": number, "payment_type": "bank_transfer"} for number in (1, 2)]

    found = [told("charge.completed", one, "BANK_TRANSFER_TRANSACTION")[0] for one in rows]

    assert [one.kind for one in found] == [p.Kind.DEPOSIT] * 2
    assert [one.provider_id for one in found] == ["1", "2"]
    assert {one.account_reference for one in found} == {REFERENCE}


def test_flat_payloads_of_old_dashboards_are_read():
    raw = encoded({"id": 1, "txRef": REFERENCE, "flwRef": "F", "amount": 100, "currency": "NGN",
                   "charged_amount": 100, "status": "successful", "event.type": "CARD_TRANSACTION",
                   "entity": {"card6": "553188"}})  # fmt: skip

    (fact,) = FLUTTERWAVE.facts({}, raw)

    assert (fact.state, fact.reference, fact.amount) == (
        p.State.SUCCEEDED, REFERENCE, naira("100"),
    )  # fmt: skip


def test_an_event_of_no_concern_tells_nothing():
    assert told("subscription.cancelled", {}) == []


def test_a_refund_has_the_currency_of_its_charge():
    intent = p.Refund(reference=REFERENCE, charge_reference="r", charge_id="42", amount=naira("50"))
    row = {"id": 75923, "tx_id": 42, "amount_refunded": 50, "status": "completed-mpgs"}

    request = FLUTTERWAVE.request(intent, KEYS)
    fact = answered(intent, 200, fine(row)).fact

    assert request.path == ("transactions", "42", "refund")
    assert request.body == {"amount": Decimal("50.00"), "comments": REFERENCE}
    assert (fact.amount, fact.state, fact.charge_id) == (naira("50"), p.State.SUCCEEDED, "42")


@pytest.mark.parametrize(
    ("given", "secrets", "verdict"),
    [
        ("my-hash", ["my-hash"], p.Authenticity.YES),
        ("my-hash", ["new-hash", "my-hash"], p.Authenticity.YES),
        ("my-hash", ["new-hash"], p.Authenticity.NO),
        ("", ["my-hash"], p.Authenticity.NO),
        ("my-hash", [], p.Authenticity.UNVERIFIABLE),
        ("", [""], p.Authenticity.UNVERIFIABLE),
    ],
)
def test_the_hash_is_a_password_that_proves_nothing_of_the_body(given, secrets, verdict):
    assert FLUTTERWAVE.authentic({"verif-hash": given}, b"anything", secrets) is verdict
    assert FLUTTERWAVE.capabilities.signature is p.Signature.LITERAL


def test_a_charge_that_waits_for_its_payer_tells_where():
    body = {**fine({**PAID, "status": "pending"}),
            "meta": {"authorization": {"redirect": "https://bank/3ds"}}}  # fmt: skip

    assert answered(charge(), 200, body).url == "https://bank/3ds"


def test_a_virtual_account_is_asked_for_with_the_number_that_the_law_wants():
    intent = p.VirtualAccount(reference=REFERENCE, currency="NGN", payer=PAYER, bvn="12345678901")
    row = {"account_number": "7859000000", "bank_name": "WEMA BANK", "order_ref": "URF_1",
           "response_code": "02"}  # fmt: skip

    body = FLUTTERWAVE.request(intent, KEYS).body
    opened = answered(intent, 200, fine(row)).result

    assert (body["is_permanent"], body["bvn"], body["tx_ref"]) == (True, "12345678901", REFERENCE)
    assert (opened.account_number, opened.provider_id, opened.reference) == (
        "7859000000", "URF_1", REFERENCE,
    )  # fmt: skip


def test_balances_are_told_by_currency():
    rows = [{"currency": "NGN", "available_balance": Decimal("10.5")},
            {"currency": "USD", "available_balance": 0}]  # fmt: skip

    assert answered(p.Balance(), 200, fine(rows)).result == (
        Money(Decimal("10.5"), "NGN"),
        Money(Decimal(0), "USD"),
    )
