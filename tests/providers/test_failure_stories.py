"""What went wrong for others, by name: as far as an adapter and the client decide it."""

import asyncio

import pytest

from monigo.providers import port as p
from monigo.providers.registry import ADAPTERS
from support.simulator import KEYS, PAYER, PROVIDERS, account, checkout, lookup, naira, transfer


@pytest.mark.parametrize("provider", PROVIDERS)
def test_merchants_credited_twice_by_a_race(simulated, provider):
    """Two workers send the same transfer at once: one of them moves money, the other asks."""
    intent = transfer(simulated.reference())

    async def both():
        ask = simulated.client.ask
        keys = KEYS[provider]
        return await asyncio.gather(*[ask(provider, intent, keys, is_test=True) for _ in range(2)])

    outcomes = [one.outcome for one in simulated.runner.run(both())]

    assert len(simulated.books(provider)["transfers"]) == 1
    assert sum(isinstance(one, p.Unknown) for one in outcomes) == 1
    assert not any(isinstance(one, p.Failed) for one in outcomes)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("verb", ["charge", "transfer"])
def test_time_out_taken_for_failure(simulated, provider, verb):
    """The answer is dropped after the provider committed: unknown, and resolved by asking."""
    intent = _intent(simulated, provider, verb)
    kind = p.Kind.CHARGE if verb == "charge" else p.Kind.TRANSFER
    simulated.next(provider, verb, "drop_after_commit")

    lost = simulated.ask(provider, intent)
    asked = simulated.wait_until(
        lambda: (
            isinstance(
                found := simulated.ask(provider, lookup(kind, intent.reference)), p.Succeeded
            )
            and found
        )
    )

    assert isinstance(lost, p.Unknown)
    assert asked.fact.amount == intent.amount


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_retry_under_the_same_id_pays_once(simulated, provider):
    """A callback never came and the queue sends again: the same reference, and one payment."""
    intent = transfer(simulated.reference())
    simulated.next(provider, "webhook", "lost", times=3)

    first = simulated.ask(provider, intent)
    again = simulated.ask(provider, intent)

    assert isinstance(first, p.Succeeded | p.Pending)
    assert again.cause is p.Cause.DUPLICATE
    assert len(simulated.books(provider)["transfers"]) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_bank_transfer_confirmed_later_and_the_browser_never_returned(
    simulated, listener, provider
):
    """No redirect at all: the webhook tells it, and so does a look-up."""
    simulated.listen(provider, listener, "my-hash")
    reference = simulated.reference()
    simulated.ask(provider, checkout(reference))

    before = simulated.ask(provider, lookup(p.Kind.CHARGE, reference))
    simulated.control("pay", provider=provider, reference=reference, method="bank_transfer")
    after = simulated.ask(provider, lookup(p.Kind.CHARGE, reference))

    (heard,) = simulated.wait_until(lambda: listener.facts(provider))
    assert isinstance(before, p.Pending | p.Unknown)
    assert (heard.reference, heard.provider_id) == (reference, after.fact.provider_id)
    assert after.fact.amount == heard.amount == naira("2500")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_callbacks_of_earlier_payments_fire_again_with_the_next(simulated, listener, provider):
    """The same payment told several times has one identity, and another payment another."""
    simulated.listen(provider, listener, "my-hash")
    simulated.next(provider, "webhook", "duplicate", times=2)

    simulated.paid(provider)
    simulated.paid(provider)

    facts = simulated.wait_until(lambda: len(listener.events) == 4 and listener.facts(provider))
    assert len({one.provider_id for one in facts}) == 2
    assert len({(one.provider_id, one.reference, one.state) for one in facts}) == 2


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("asked", "paid"), [("100.00", "10"), ("100.00", "250"), ("1.00", "1")])
def test_ten_naira_paid_for_a_hundred(simulated, listener, provider, asked, paid):
    """Kobo are never taken for naira, and what was paid is told as it is, both ways."""
    simulated.listen(provider, listener, "my-hash")

    _, read = simulated.paid(provider, asked, amount=paid)

    (heard,) = simulated.wait_until(lambda: listener.facts(provider))
    assert read.amount == heard.amount == naira(paid)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_payment_in_another_currency_is_told_in_it(simulated, listener, provider):
    """Success in another currency is no payment of this one."""
    simulated.listen(provider, listener, "my-hash")
    opened = simulated.ask(
        provider,
        p.VirtualAccount(
            reference=simulated.reference(), currency="NGN", payer=PAYER, bvn="12345678901"
        ),
    ).result

    number = opened.account_number
    simulated.control(
        "deposit", provider=provider, account_number=number, amount="50", currency="USD"
    )

    (heard,) = simulated.wait_until(lambda: listener.facts(provider))
    assert heard.amount is None or heard.amount.currency == "USD"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_success_arrives_after_the_checkout_expired(simulated, listener, provider):
    """A link that we gave up can still be paid: the fact says so, under our reference."""
    simulated.listen(provider, listener, "my-hash")
    reference = simulated.reference()
    simulated.ask(provider, checkout(reference))
    simulated.control("advance", seconds=25 * 3600)

    simulated.control("pay", provider=provider, reference=reference)

    (heard,) = simulated.wait_until(lambda: listener.facts(provider))
    assert (heard.state, heard.reference) == (p.State.SUCCEEDED, reference)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_refund_sent_twice_goes_back_once_or_says_that_it_may_not(simulated, provider):
    """Where a repeat pays again, the capability says so, and nothing sends it by itself."""
    charge, fact = simulated.paid(provider)
    intent = p.Refund(
        reference=simulated.reference(),
        charge_reference=charge,
        charge_id=fact.provider_id,
        amount=naira("500"),
    )

    simulated.ask(provider, intent)
    simulated.ask(provider, intent)

    repeat = ADAPTERS[provider].capabilities.repeat[p.Verb.REFUND]
    times = 2 if repeat is p.Repeat.PAYS_AGAIN else 1
    assert len(simulated.books(provider)["refunds"]) == times


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_a_repeat_does_is_as_the_capability_says(simulated, provider):
    """Each verb's repeat against the books: rejected, or taken again."""
    repeat = ADAPTERS[provider].capabilities.repeat
    charge = _intent(simulated, provider, "charge")
    found = {
        p.Verb.CHARGE: [simulated.ask(provider, charge) for _ in range(2)],
        p.Verb.TRANSFER: [
            simulated.ask(provider, one)
            for one in [
                p.Transfer(
                    reference="mo" + "a" * 30,
                    amount=naira("77"),
                    account=account("0690000037"),
                    narration="x",
                )
            ]
            * 2
        ],
        p.Verb.CHECKOUT: [
            simulated.ask(provider, one) for one in [checkout(simulated.reference())] * 2
        ],
    }

    refused = {verb for verb, (_, second) in found.items() if isinstance(second, p.Unknown)}
    assert refused == {verb for verb in found if repeat[verb] is p.Repeat.REJECTS}


def _intent(simulated, provider, verb):
    reference = simulated.reference()
    if verb == "transfer":
        return transfer(reference)
    _, fact = simulated.paid(provider)
    return p.Charge(reference=reference, amount=naira("700"), payer=PAYER, token=fact.method.token)
