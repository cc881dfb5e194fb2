"""Each verb against each scripted fault, over HTTP, for each provider."""

from datetime import UTC, datetime

import pytest

from monigo.providers import port as p
from support.simulator import KEYS, PAYER, PROVIDERS, account, checkout, lookup, naira, transfer

# How the adapters see what was answered in place of what was done.
FAULTS = {
    "drop_after_commit": p.Cause.CONNECTION_LOST,
    "drop_before": p.Cause.CONNECTION_LOST,
    "500": p.Cause.SERVER_ERROR,
    "429": p.Cause.RATE_LIMITED,
    "not_json": p.Cause.UNREADABLE,
}
DONE = {"drop_after_commit", "500", "not_json", "duplicate_reference"}
MOVING = ["charge", "refund", "transfer"]
KINDS = {"charge": p.Kind.CHARGE, "refund": p.Kind.REFUND, "transfer": p.Kind.TRANSFER}
TABLES = {"charge": "charges", "refund": "refunds", "transfer": "transfers"}
READING = ["resolve", "banks", "balance", "lookup", "virtual_account", "checkout"]


@pytest.fixture
def intent_of(simulated):
    """An intent of a verb that the provider would do."""

    def made(provider, verb):
        reference = simulated.reference()
        if verb == "charge":
            _, fact = simulated.paid(provider)
            token = fact.method.token
            return p.Charge(reference=reference, amount=naira("700"), payer=PAYER, token=token)
        if verb == "refund":
            charge, fact = simulated.paid(provider)
            return p.Refund(
                reference=reference,
                charge_reference=charge,
                charge_id=fact.provider_id,
                amount=naira("500"),
            )
        if verb == "transfer":
            return transfer(reference)
        if verb == "checkout":
            return checkout(reference)
        if verb == "virtual_account":
            return p.VirtualAccount(
                reference=reference, currency="NGN", payer=PAYER, bvn="12345678901"
            )
        return {
            "resolve": p.Resolve(code="044", number="0690000031"),
            "banks": p.Banks(country="NG", currency="NGN"),
            "balance": p.Balance(),
            "lookup": lookup(p.Kind.CHARGE, reference),
        }[verb]

    return made


def rows(simulated, provider, intent):
    books = simulated.books(provider)[TABLES[intent.verb]]
    return [one for one in books if one["reference"] == intent.reference]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("verb", MOVING)
@pytest.mark.parametrize("outcome", FAULTS)
def test_whatever_spoils_an_answer_leaves_the_money_unknown(
    simulated, intent_of, provider, verb, outcome
):
    intent = intent_of(provider, verb)
    simulated.next(provider, verb, outcome)

    found = simulated.ask(provider, intent)

    assert found.cause is FAULTS[outcome]
    assert len(rows(simulated, provider, intent)) == (outcome in DONE)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("verb", READING)
@pytest.mark.parametrize("outcome", FAULTS)
def test_whatever_spoils_an_answer_tells_nothing(simulated, intent_of, provider, verb, outcome):
    intent = intent_of(provider, verb)
    simulated.next(provider, verb, outcome)

    assert simulated.ask(provider, intent).cause is FAULTS[outcome]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("verb", MOVING)
def test_a_refusal_under_200_that_nobody_knows_is_unknown(simulated, intent_of, provider, verb):
    intent = intent_of(provider, verb)
    simulated.next(provider, verb, "200_error")

    assert simulated.ask(provider, intent).cause is p.Cause.UNRECOGNIZED


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("verb", ["charge", "transfer"])
def test_a_duplicate_means_ask_and_what_is_found_counts(simulated, intent_of, provider, verb):
    intent = intent_of(provider, verb)
    simulated.next(provider, verb, "duplicate_reference")

    found = simulated.ask(provider, intent)
    asked = simulated.ask(provider, lookup(KINDS[verb], intent.reference))

    assert found.cause is p.Cause.DUPLICATE
    assert isinstance(asked, p.Succeeded | p.Pending)
    assert asked.fact.reference == intent.reference


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("verb", MOVING)
@pytest.mark.parametrize("outcome", ["success", "failed", "pending"])
def test_each_end_is_seen_in_the_answer_or_when_asked(
    simulated, intent_of, provider, verb, outcome
):
    intent = intent_of(provider, verb)
    simulated.next(provider, verb, outcome)
    wanted = {"success": p.Succeeded, "failed": p.Failed, "pending": p.Pending}[outcome]

    found = simulated.ask(provider, intent)
    named = found.fact.provider_id

    def ends():
        asked = simulated.ask(provider, lookup(KINDS[verb], intent.reference, named))
        return asked if isinstance(asked, wanted) else None

    end = simulated.wait_until(ends)
    assert end.fact.is_final == (outcome != "pending")
    assert end.fact.amount in {intent.amount, None}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("verb", ["charge", "transfer"])
def test_another_amount_is_told_as_it_is(simulated, intent_of, provider, verb):
    intent = intent_of(provider, verb)
    simulated.next(provider, verb, "wrong_amount")

    found = simulated.ask(provider, intent)

    assert found.fact.amount.amount * 2 == intent.amount.amount


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_checkout_may_be_paid_by_less(simulated, provider):
    _, fact = simulated.paid(provider, "100.00", amount="10")

    assert fact.amount == naira("10")


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("verb", ["charge", "transfer"])
@pytest.mark.parametrize("times", [1, 2])
def test_what_arrived_may_not_be_found_at_first(simulated, intent_of, provider, verb, times):
    intent = intent_of(provider, verb)
    simulated.next(provider, verb, "drop_after_commit")
    simulated.next(provider, "lookup", "not_found", times=times)
    question = lookup(KINDS[verb], intent.reference)

    simulated.ask(provider, intent)
    found = [simulated.ask(provider, question) for _ in range(times + 1)]

    assert [one.cause for one in found[:-1]] == [p.Cause.NOT_FOUND] * times
    assert isinstance(found[-1], p.Succeeded | p.Pending)


@pytest.mark.parametrize("provider", ["paystack", "monnify"])
def test_a_transfer_that_needs_an_otp_goes_on_with_it(simulated, provider):
    intent = transfer(simulated.reference())
    simulated.next(provider, "transfer", "needs_action")

    held = simulated.ask(provider, intent)
    names = {"reference": intent.reference, "provider_id": held.provider_id}
    wrong = simulated.ask(provider, p.Authorize(**names, otp="000000"))
    again = simulated.ask(provider, p.ResendOtp(**names))
    right = simulated.ask(provider, p.Authorize(**names, otp="123456"))

    assert held.needs_otp
    assert wrong.cause is p.Cause.REFUSED
    assert again == p.Succeeded()
    assert right.fact.state is p.State.SUCCEEDED


@pytest.mark.parametrize("provider", ["paystack", "monnify"])
def test_an_otp_that_nobody_uses_ends_the_transfer(simulated, provider):
    intent = transfer(simulated.reference())
    simulated.next(provider, "transfer", "needs_action")

    simulated.ask(provider, intent)
    simulated.control("advance", seconds=1801)
    end = simulated.ask(provider, lookup(p.Kind.TRANSFER, intent.reference))

    assert end.code in {p.FailureCode.ABANDONED, p.FailureCode.EXPIRED}


@pytest.mark.parametrize("provider", ["paystack", "flutterwave"])
def test_a_pull_that_wants_a_second_factor_is_a_link(simulated, intent_of, provider):
    intent = intent_of(provider, "charge")
    simulated.next(provider, "charge", "needs_action")

    held = simulated.ask(provider, intent)
    simulated.control("pay", provider=provider, reference=intent.reference)
    end = simulated.ask(provider, lookup(p.Kind.CHARGE, intent.reference))

    assert held.url.startswith(simulated.url)
    assert isinstance(end, p.Succeeded)


@pytest.mark.parametrize("provider", ["paystack", "monnify"])
def test_success_may_be_reversed_later(simulated, provider):
    intent = transfer(simulated.reference())
    simulated.next(provider, "transfer", "reversed_later", delay_ms=100)

    first = simulated.ask(provider, intent)
    end = simulated.wait_until(
        lambda: isinstance(
            simulated.ask(provider, lookup(p.Kind.TRANSFER, intent.reference)), p.Reversed
        )
    )

    assert isinstance(first, p.Succeeded)
    assert end


@pytest.mark.parametrize("provider", PROVIDERS)
def test_too_little_balance_is_a_definite_failure(simulated, provider):
    key = KEYS[provider].secret_key
    simulated.control("balance", provider=provider, secret_key=key, amount=0)

    outcome = simulated.ask(provider, transfer(simulated.reference()))
    simulated.control("balance", provider=provider, secret_key=key, amount="1000000")

    assert outcome.code is p.FailureCode.INSUFFICIENT_BALANCE
    assert outcome.is_final == (provider != "paystack")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_bulk_is_told_row_by_row(simulated, provider):
    rows_of = [
        transfer(simulated.reference(), "11.00", number="0690000032"),
        transfer(simulated.reference(), "12.00", number="0690000033"),
    ]
    simulated.next(provider, "bulk", "failed")
    simulated.control("advance", seconds=10)

    batch = simulated.ask(
        provider, p.Bulk(reference=simulated.reference(), transfers=tuple(rows_of))
    ).result

    def ends():
        found = [simulated.ask(provider, lookup(p.Kind.TRANSFER, one.reference)) for one in rows_of]
        return isinstance(found[0], p.Failed) and isinstance(found[1], p.Succeeded)

    assert batch.outcomes.keys() == {one.reference for one in rows_of}
    assert simulated.wait_until(ends)


def test_paystack_takes_a_hundred_rows_and_one_batch_in_five_seconds(simulated):
    row = transfer(simulated.reference(), recipient="RCP_x")
    most = p.Bulk(reference="mo" + "b" * 30, transfers=(row,) * 101)

    simulated.control("advance", seconds=10)
    many = simulated.ask("paystack", most)
    first = simulated.ask("paystack", p.Bulk(reference="b", transfers=(transfer("mo" + "c" * 30),)))
    second = simulated.ask(
        "paystack", p.Bulk(reference="b", transfers=(transfer("mo" + "d" * 30),))
    )

    assert isinstance(many, p.Failed)
    assert isinstance(first, p.Succeeded)
    assert second.cause is p.Cause.RATE_LIMITED


def test_monnify_refuses_the_same_payee_and_amount_for_two_minutes(simulated):
    first = simulated.ask("monnify", transfer(simulated.reference()))
    second = simulated.ask("monnify", transfer(simulated.reference()))
    simulated.control("advance", seconds=121)
    third = simulated.ask("monnify", transfer(simulated.reference()))

    assert isinstance(first, p.Succeeded)
    assert second.cause is p.Cause.DUPLICATE
    assert isinstance(third, p.Succeeded)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_deposits_are_listed_by_their_account(simulated, provider):
    opened = [_opened(simulated, provider, f"{name}@example.com") for name in "ab"]
    for account_, amount in ((opened[0], "10"), (opened[0], "20"), (opened[1], "30")):
        number = account_.account_number
        simulated.control("deposit", provider=provider, account_number=number, amount=amount)

    listed = simulated.ask(
        provider,
        p.ListDeposits(
            account_reference=opened[0].reference,
            account_number=opened[0].account_number,
            customer=opened[0].customer,
        ),
    ).result.facts

    assert sorted(one.amount.amount for one in listed) == [10, 20]
    assert len({one.provider_id for one in listed}) == 2
    assert {one.kind for one in listed} == {p.Kind.DEPOSIT}


def _opened(simulated, provider, email):
    payer = p.Payer(email=email, name="Ada Obi", phone="+2348012345678")
    return simulated.ask(
        provider,
        p.VirtualAccount(
            reference=simulated.reference(), currency="NGN", payer=payer, bvn="12345678901"
        ),
    ).result


@pytest.mark.parametrize("provider", ["paystack", "flutterwave"])
def test_an_unknown_refund_is_found_in_the_charges_list_by_its_note(simulated, provider):
    charge, _ = simulated.paid(provider)
    reference = simulated.reference()
    simulated.next(provider, "refund", "drop_after_commit")

    lost = simulated.ask(
        provider,
        p.Refund(reference=reference, charge_reference=charge, amount=naira("500")),
    )
    listed = simulated.ask(provider, p.ListRefunds(charge_reference=charge)).result.facts

    assert lost.cause is p.Cause.CONNECTION_LOST
    assert [one.note for one in listed] == [reference]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_refund_of_a_charge_that_cannot_be_found_was_not_sent(simulated, provider):
    intent = p.Refund(
        reference=simulated.reference(),
        charge_reference=simulated.reference(),
        amount=naira("500"),
    )

    outcome = simulated.ask(provider, intent)

    assert isinstance(outcome, p.Failed)
    assert not outcome.is_final


def test_a_link_is_disabled_where_that_can_be_done(simulated):
    reference = simulated.reference()
    opened = simulated.ask("flutterwave", checkout(reference))

    done = simulated.ask("flutterwave", p.DisableCheckout(reference=reference, url=opened.url))

    assert done == p.Succeeded()


def test_a_method_is_forgotten(simulated):
    _, fact = simulated.paid("paystack")
    simulated.ask("paystack", p.ForgetMethod(token=fact.method.token))
    intent = p.Charge(
        reference=simulated.reference(),
        amount=naira("5"),
        payer=PAYER,
        token=fact.method.token,
    )

    assert isinstance(simulated.ask("paystack", intent), p.Failed)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_saved_card_is_charged_with_the_email_it_was_made_with(simulated, provider):
    _, fact = simulated.paid(provider)
    other = p.Payer(email="other@example.com")
    intent = p.Charge(
        reference=simulated.reference(),
        amount=naira("5"),
        payer=other,
        token=fact.method.token,
    )

    assert isinstance(simulated.ask(provider, intent), p.Failed)
    assert fact.method.email == PAYER.email


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("outcome", ["success", "failed"])
def test_names_of_accounts_are_resolved_or_refused(simulated, provider, outcome):
    simulated.next(provider, "resolve", outcome)

    found = simulated.ask(provider, p.Resolve(code="044", number="0690000031"))

    assert (found.result.name if outcome == "success" else found.code) in {
        "BOLA ADE",
        p.FailureCode.INVALID_RECIPIENT,
    }


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_account_is_closed(simulated, provider):
    opened = _opened(simulated, provider, "ada@example.com")

    done = simulated.ask(
        provider,
        p.CloseVirtualAccount(reference=opened.reference, provider_id=opened.provider_id),
    )

    assert done == p.Succeeded()
    with pytest.raises(AssertionError, match="no open account"):
        simulated.control(
            "deposit", provider=provider, account_number=opened.account_number, amount="5"
        )


def test_an_account_that_paystack_refuses_is_no_transfer(simulated):
    simulated.next("paystack", "recipients", "failed")
    intent = p.Transfer(
        reference=simulated.reference(), amount=naira("5"), account=account("0690000035")
    )

    outcome = simulated.ask("paystack", intent)

    assert outcome.code is p.FailureCode.INVALID_RECIPIENT
    assert simulated.books("paystack")["transfers"] == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_all_charges_and_transfers_of_a_time_are_listed_page_by_page(simulated, provider):
    made = {"charges": [simulated.paid(provider)[0] for _ in range(12)]}
    sent = [transfer(simulated.reference(), f"{number + 5}.00") for number in range(12)]
    made["transfers"] = [one.reference for one in sent]
    outcomes = [simulated.ask(provider, one) for one in sent]

    listed = {
        "charges": _listed(simulated, provider, p.Verb.LIST_CHARGES),
        "transfers": _listed(simulated, provider, p.Verb.LIST_TRANSFERS),
    }

    assert all(isinstance(one, p.Succeeded | p.Pending) for one in outcomes)
    assert {name: sorted(one.reference for one in rows) for name, rows in listed.items()} == made
    assert sorted(one.amount.amount for one in listed["transfers"]) == [*range(5, 17)]


def _listed(simulated, provider, verb):
    since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    found, page = [], 1
    while page is not None:
        intent = p.ListRows(verb=verb, since=since, until=until, page=page)
        result = simulated.ask(provider, intent).result
        found += result.facts
        page = result.next_page
    return found
