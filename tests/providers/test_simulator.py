"""The simulator's control face, webhooks, pages, and what it keeps."""

import json
import os
import signal
import subprocess
import sys

import httpx
import pytest

from monigo.providers import port as p
from monigo.providers.registry import ADAPTERS
from support.simulator import (
    KEYS,
    PROVIDERS,
    Listener,
    checkout,
    lookup,
    naira,
    simulation,
    transfer,
)

MONIGO = [sys.executable, "-c", "from monigo.cli import main; main()"]
SECRETS = {
    "paystack": "sk_test_4242",
    "flutterwave": "my-hash",
    "monnify": "MONNIFY_TEST_SECRET",
}


def ask_control(simulated, method, path, **more):
    async def run():
        async with httpx.AsyncClient() as client:
            return await client.request(method, f"{simulated.url}{path}", **more)

    return simulated.runner.run(run())


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_movement_is_told_by_a_signed_webhook(simulated, listener, provider):
    simulated.listen(provider, listener, "my-hash")
    adapter = ADAPTERS[provider]

    charge, fact = simulated.paid(provider)
    out = transfer(simulated.reference())
    simulated.ask(provider, out)
    simulated.ask(
        provider,
        p.Refund(
            reference=simulated.reference(),
            charge_reference=charge,
            charge_id=fact.provider_id,
            amount=naira("500"),
        ),
    )
    wanted = 2 if provider == "flutterwave" else 3  # Which sends none of refunds.

    found = simulated.wait_until(
        lambda: len(listener.events) >= wanted and listener.facts(provider)
    )
    assert {(one.kind, one.state) for one in found} >= {
        (p.Kind.CHARGE, p.State.SUCCEEDED),
        (p.Kind.TRANSFER, p.State.SUCCEEDED),
    }
    assert {one.reference for one in found} >= {charge, out.reference}
    assert all(
        adapter.authentic(headers, raw, [SECRETS[provider]]) is p.Authenticity.YES
        for headers, raw in listener.events
    )


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_deposit_is_told_with_all_that_finds_its_account(simulated, listener, provider):
    simulated.listen(provider, listener, "my-hash")
    payer = p.Payer(email="ada@example.com", name="Ada Obi", phone="+2348012345678")
    opened = simulated.ask(
        provider,
        p.VirtualAccount(
            reference=simulated.reference(), currency="NGN", payer=payer, bvn="12345678901"
        ),
    ).result

    made = simulated.control(
        "deposit", provider=provider, account_number=opened.account_number, amount="3000.50"
    )

    (fact,) = simulated.wait_until(lambda: listener.facts(provider))
    assert (fact.kind, fact.amount) == (p.Kind.DEPOSIT, naira("3000.50"))
    assert str(made["provider_id"]) in fact.provider_id
    assert opened.account_number == fact.account_number or (
        opened.reference == fact.account_reference
    )


def test_a_webhook_is_lost(simulated, listener):
    simulated.listen("paystack", listener)
    simulated.next("paystack", "webhook", "lost")

    simulated.paid("paystack")
    other, _ = simulated.paid("paystack")

    facts = simulated.wait_until(lambda: listener.facts("paystack"))
    assert [one.reference for one in facts] == [other]


def test_a_webhook_is_doubled(simulated, listener):
    simulated.listen("monnify", listener)
    simulated.next("monnify", "webhook", "duplicate")

    simulated.paid("monnify")

    assert simulated.wait_until(lambda: len(listener.events) == 2)
    assert listener.events[0][1] == listener.events[1][1]


def test_a_webhook_is_late(simulated, listener):
    simulated.listen("paystack", listener)
    simulated.next("paystack", "webhook", "late", delay_ms=400)

    simulated.paid("paystack")
    early = list(listener.events)

    assert early == []
    assert simulated.wait_until(lambda: listener.events)


def test_a_webhook_may_be_there_before_the_answer(simulated, listener):
    simulated.listen("paystack", listener)
    simulated.next("paystack", "webhook", "early")
    out = transfer(simulated.reference())

    simulated.ask("paystack", out)

    assert [one.reference for one in listener.facts("paystack")] == [out.reference]


def test_webhooks_come_out_of_order(simulated, listener):
    simulated.listen("paystack", listener)
    simulated.next("paystack", "webhook", "reordered", delay_ms=5000)

    first, _ = simulated.paid("paystack")
    second, _ = simulated.paid("paystack")

    assert simulated.wait_until(lambda: len(listener.events) == 2)
    assert [one.reference for one in listener.facts("paystack")] == [second, first]


def test_a_webhook_that_is_held_back_comes_though_none_follows(simulated, listener):
    simulated.listen("paystack", listener)
    simulated.next("paystack", "webhook", "reordered", delay_ms=100)

    simulated.paid("paystack")

    assert simulated.wait_until(lambda: listener.events)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_forged_webhook_is_none(simulated, listener, provider):
    simulated.listen(provider, listener, "my-hash")
    simulated.next(provider, "webhook", "bad_signature")

    simulated.paid(provider)

    headers, raw = simulated.wait_until(lambda: listener.events)[0]
    verdict = ADAPTERS[provider].authentic(headers, raw, [SECRETS[provider]])
    assert verdict is p.Authenticity.NO


@pytest.mark.parametrize(("provider", "tries"), [("paystack", 2), ("monnify", 2),
                                                 ("flutterwave", 1)])  # fmt: skip
def test_a_webhook_that_was_not_taken_is_sent_again_by_some(simulated, listener, provider, tries):
    simulated.listen(provider, listener)
    listener.statuses = [500]

    simulated.paid(provider)
    simulated.rest(1.5)

    assert len(listener.events) == tries


def test_a_link_of_flutterwaves_can_be_paid_twice(simulated, listener):
    simulated.listen("flutterwave", listener, "my-hash")
    reference, _ = simulated.paid("flutterwave")

    simulated.control("pay", provider="flutterwave", reference=reference)

    assert simulated.wait_until(lambda: len(listener.events) == 2)
    first, second = listener.facts("flutterwave")
    assert first.reference == second.reference
    assert first.provider_id != second.provider_id


@pytest.mark.parametrize("provider", ["paystack", "monnify"])
def test_a_link_of_the_others_is_paid_once(simulated, provider):
    reference, _ = simulated.paid(provider)

    simulated.control("pay", provider=provider, reference=reference)

    assert len(simulated.books(provider)["charges"]) == 1


def test_a_card_that_is_declined_leaves_the_link_open(simulated):
    reference, declined = simulated.paid("paystack", method="decline")

    simulated.control("pay", provider="paystack", reference=reference)
    paid = simulated.ask("paystack", lookup(p.Kind.CHARGE, reference))

    assert declined is not None
    assert declined.state is p.State.FAILED
    assert isinstance(paid, p.Succeeded)


def test_the_books_tell_what_there_is(simulated):
    reference, fact = simulated.paid("monnify", "250.00")
    out = transfer(simulated.reference(), "10.50")
    simulated.ask("monnify", out)
    back = simulated.reference()
    simulated.ask(
        "monnify",
        p.Refund(
            reference=back,
            charge_reference=reference,
            charge_id=fact.provider_id,
            amount=naira("100"),
        ),
    )

    books = simulated.books("monnify")

    (charge,) = books["charges"]
    assert (charge["reference"], charge["amount"], charge["status"], charge["to"]) == (
        reference, "250", "success", "ada@example.com",
    )  # fmt: skip
    assert [(one["reference"], one["amount"], one["to"]) for one in books["transfers"]] == [
        (out.reference, "10.5", "0690000031")
    ]
    assert [(one["reference"], one["charge"]) for one in books["refunds"]] == [(back, reference)]
    assert books["deposits"] == []
    assert simulated.books("paystack")["charges"] == []


@pytest.mark.parametrize("path", ["/control/next", "/control/pay", "/control/clear"])
def test_requests_with_an_origin_are_refused(simulated, path):
    answer = ask_control(
        simulated, "POST", path, json={}, headers={"Origin": "https://evil.example"}
    )

    assert answer.status_code == 403


def test_the_books_are_not_for_pages_of_others(simulated):
    headers = {"Origin": "https://evil.example"}

    assert ask_control(simulated, "GET", "/control/books", headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("action", "body", "status"),
    [
        ("next", {"provider": "stripe", "verb": "charge", "outcome": "success"}, 400),
        ("next", {"provider": "paystack", "verb": "fly", "outcome": "success"}, 400),
        ("next", {"provider": "paystack", "verb": "charge", "outcome": "lost"}, 400),
        ("next", {"provider": "paystack", "verb": "webhook", "outcome": "success"}, 400),
        ("next", {"provider": "paystack", "verb": "charge", "outcome": "success",
                  "times": "many"}, 400),
        ("next", {"provider": "paystack", "verb": "charge", "outcome": "success",
                  "delay_ms": -1}, 400),
        ("pay", {"provider": "paystack", "reference": "none"}, 404),
        ("deposit", {"provider": "paystack", "account_number": "1", "amount": 5}, 404),
        ("merchants", {"provider": "paystack"}, 400),
        ("merchants", {"provider": "paystack", "secret_key": "k", "webhook_url": "x"}, 400),
        ("settle", {"provider": "paystack", "reference": "none", "status": "lost"}, 404),
        ("advance", {"seconds": True}, 400),
    ],
)  # fmt: skip
def test_control_refuses_what_makes_no_sense(simulated, action, body, status):
    answer = ask_control(simulated, "POST", f"/control/{action}", json=body)

    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize("raw", [b"", b"[]", b"nonsense", b"\xff"])
def test_control_wants_an_object(simulated, raw):
    answer = ask_control(simulated, "POST", "/control/next", content=raw)

    assert answer.status_code == 400


@pytest.mark.parametrize("key", ["sk_live_1", "none", "FLWSECK-1-X"])
def test_live_keys_are_refused(simulated, key):
    headers = {"Authorization": f"Bearer {key}"}
    paths = ("/paystack/balance", "/flutterwave/v3/balances", "/monnify/api/v1/banks")

    found = [ask_control(simulated, "GET", path, headers=headers) for path in paths]

    assert [one.status_code for one in found] == [401] * 3


def test_what_one_merchant_has_another_does_not(simulated):
    reference, _ = simulated.paid("paystack")
    other = p.Keys(secret_key="sk_test_other")

    found = simulated.ask("paystack", lookup(p.Kind.CHARGE, reference), other)

    assert found.cause is p.Cause.NOT_FOUND


def test_a_person_pays_with_a_click_and_is_sent_back(simulated):
    reference = simulated.reference()
    url = simulated.ask("paystack", checkout(reference)).url
    path = url.removeprefix(simulated.url)

    page = ask_control(simulated, "GET", path)
    paid = ask_control(simulated, "POST", path, data={"card": "4084084084084081", "amount": "2500"})
    overview = ask_control(simulated, "GET", "/")

    assert "2500" in page.text
    assert paid.status_code == 303
    assert paid.headers["location"].startswith(f"https://shop.example/back?trxref={reference}")
    assert reference in overview.text
    assert isinstance(simulated.ask("paystack", lookup(p.Kind.CHARGE, reference)), p.Succeeded)


def test_a_page_of_others_pays_nothing(simulated):
    reference = simulated.reference()
    url = simulated.ask("paystack", checkout(reference)).url
    headers = {"Origin": "https://evil.example"}

    answer = ask_control(
        simulated, "POST", url.removeprefix(simulated.url), data={"card": "x"}, headers=headers
    )

    assert answer.status_code == 400
    assert simulated.books("paystack")["charges"][0]["status"] == "open"


def test_names_on_pages_are_text(simulated):
    payer = p.Payer(email="<script>alert(1)</script>@example.com")
    intent = p.Checkout(
        reference=simulated.reference(), amount=naira("5"), payer=payer, return_url="javascript:x"
    )
    path = simulated.ask("flutterwave", intent).url.removeprefix(simulated.url)

    page = ask_control(simulated, "GET", path)
    paid = ask_control(simulated, "POST", path, data={"card": "bank_transfer"})

    assert "<script>" not in page.text
    assert paid.headers["location"] == "/"


def test_a_person_decides_about_transfers_and_deposits(simulated):
    simulated.next("paystack", "transfer", "pending")
    out = transfer(simulated.reference())
    simulated.ask("paystack", out)
    row = simulated.books("paystack")["transfers"][0]

    done = ask_control(
        simulated, "POST", "/page/settle", data={"id": row["id"], "status": "failed"}
    )
    late = ask_control(
        simulated, "POST", "/page/settle", data={"id": row["id"], "status": "success"}
    )

    assert (done.status_code, late.status_code) == (303, 400)
    assert simulated.books("paystack")["transfers"][0]["status"] == "failed"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_books_survive_a_restart(tmp_path, provider):
    path = tmp_path / "books.jsonl"
    with simulation(path) as first:
        reference, fact = first.paid(provider)
        token = fact.method.token
    with simulation(path) as second:
        found = second.ask(provider, lookup(p.Kind.CHARGE, reference))
        again = second.ask(
            provider,
            p.Charge(
                reference="mo" + "e" * 30,
                amount=naira("5"),
                payer=p.Payer(email="ada@example.com"),
                token=token,
            ),
        )

    assert found.fact.provider_id == fact.provider_id
    assert isinstance(again, p.Succeeded)


def test_books_survive_a_kill(tmp_path):
    path = tmp_path / "books.jsonl"
    command = [*MONIGO, "simulator", "--port", "0", "--file", str(path)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        url = child.stdout.readline().split()[-1]
        headers = {"Authorization": "Bearer sk_test_4242"}
        for number in range(50):
            body = {"email": "a@example.com", "amount": 100, "reference": f"ref-{number}"}
            answer = httpx.post(
                f"{url}/paystack/transaction/initialize", json=body, headers=headers
            )
            assert answer.status_code == 200
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    with path.open("ab") as file:
        file.write(b'{"type": "Charge", "cut off')

    with simulation(path) as after:
        kept = {one["reference"] for one in after.books("paystack")["charges"]}

    assert kept == {f"ref-{number}" for number in range(50)}
    assert json.loads(path.read_bytes().splitlines()[-1])


def test_the_command_ends_when_asked():
    command = [*MONIGO, "simulator", "--port", "0"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        lines = [child.stdout.readline() for _ in range(4)]
        child.send_signal(signal.SIGTERM)
        status = child.wait(timeout=60)
    finally:
        child.kill()

    assert [line.split()[0] for line in lines[1:]] == ["flutterwave", "monnify", "paystack"]
    assert status == 0


def test_a_listener_that_is_gone_stops_nothing(simulated):
    gone = Listener()
    simulated.listen("paystack", gone)
    gone.close()

    _, fact = simulated.paid("paystack")

    assert fact.state is p.State.SUCCEEDED
    assert KEYS["paystack"].secret_key
