"""The one way to talk to a provider: tokens, time, faults of the line, and what is kept."""

import asyncio
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from monigo.core.errors import DomainError, InvariantError
from monigo.infra.http_client import HttpClient
from monigo.providers import client as client_module
from monigo.providers import port as p
from monigo.providers.client import ProviderClient
from support.simulator import KEYS, PAYER, PROVIDERS, checkout, lookup, naira, transfer

REFERENCE = "mo" + "0" * 30
LIVE = {
    "paystack": p.Keys(secret_key="sk_live_1"),
    "flutterwave": p.Keys(secret_key="FLWSECK-1-X"),
    "monnify": p.Keys(secret_key="s", public_key="MK_PROD_1"),
}


class Bank:
    """Answers as Monnify does, and counts log-ins and calls."""

    def __init__(self, *, refused=0, lifetime=3567, pause=0.0):
        self.log_ins, self.calls, self.tokens = 0, 0, []
        self._refused = refused
        bank = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                bank.log_ins += 1
                time.sleep(pause)
                token = {"accessToken": f"token-{bank.log_ins}", "expiresIn": lifetime}
                self.answer(200, {"responseBody": token})

            def do_GET(self):
                bank.calls += 1
                bank.tokens.append(self.headers["Authorization"])
                bank._refused -= 1
                if bank._refused >= 0:
                    self.answer(401, {"error": "invalid_token"})
                    return
                body = {"availableBalance": 5}
                self.answer(200, {"requestSuccessful": True, "responseBody": body})

            def answer(self, status, body):
                raw = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()


def ask(url, *intents, provider="monnify", keys=None, at_once=False, is_test=True):
    async def run():
        http = HttpClient()
        client = ProviderClient(http, {(provider, True): url, (provider, False): url})
        try:
            asked = [
                client.ask(provider, one, keys or KEYS[provider], is_test=is_test)
                for one in intents
            ]
            if at_once:
                return await asyncio.gather(*asked)
            return [await one for one in asked]
        finally:
            await http.close()

    return asyncio.run(run())


def nowhere():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_token_is_had_once_and_kept():
    bank = Bank()

    ask(bank.url, *[p.Balance()] * 3)

    assert (bank.log_ins, bank.calls) == (1, 3)


def test_many_at_once_log_in_once():
    bank = Bank(pause=0.1)

    ask(bank.url, *[p.Balance()] * 20, at_once=True)

    assert (bank.log_ins, bank.calls) == (1, 20)


def test_a_token_that_was_refused_is_renewed_once():
    bank = Bank(refused=1)

    (called,) = ask(bank.url, p.Balance())

    assert isinstance(called.outcome, p.Succeeded)
    assert bank.tokens == ["Bearer token-1", "Bearer token-2"]


def test_a_token_that_is_refused_again_is_no_reason_to_go_on():
    bank = Bank(refused=9)

    (called,) = ask(bank.url, p.Balance())

    assert called.outcome.code is p.FailureCode.UNAUTHORIZED
    assert bank.calls == 2


def test_many_whose_token_was_refused_at_once_renew_it_once():
    bank = Bank(refused=5, pause=0.1)

    found = ask(bank.url, *[p.Balance()] * 5, at_once=True)

    assert all(isinstance(one.outcome, p.Succeeded) for one in found)
    assert bank.log_ins == 2


def test_a_token_is_renewed_before_it_ends():
    bank = Bank(lifetime=client_module.TOKEN_MARGIN_SECONDS)

    ask(bank.url, p.Balance(), p.Balance())

    assert bank.log_ins == 2


def test_another_merchant_has_another_token():
    bank = Bank()
    other = p.Keys(secret_key="another", public_key="MK_TEST_2")

    async def run():
        http = HttpClient()
        client = ProviderClient(http, {("monnify", True): bank.url})
        for keys in (KEYS["monnify"], other, KEYS["monnify"]):
            await client.ask("monnify", p.Balance(), keys, is_test=True)
        await http.close()

    asyncio.run(run())
    assert bank.log_ins == 2
    assert bank.tokens == ["Bearer token-1", "Bearer token-2", "Bearer token-1"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_never_left_has_failed_and_may_be_sent_again(provider):
    (called,) = ask(nowhere(), transfer(REFERENCE, recipient="RCP_1"), provider=provider)

    assert called.outcome.code is p.FailureCode.NOT_SENT
    assert not called.outcome.is_final
    assert called.calls[-1].status is None


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_question_that_never_left_says_nothing(provider):
    (called,) = ask(nowhere(), lookup(p.Kind.TRANSFER, REFERENCE), provider=provider)

    assert isinstance(called.outcome, p.Unknown)


@pytest.mark.parametrize("outcome", ["drop_after_commit", "500", "not_json", "429"])
def test_a_log_in_that_came_to_nothing_sent_nothing(simulated, outcome):
    intent = transfer(simulated.reference())
    keys = p.Keys(secret_key=f"fresh-{outcome}", public_key="MK_TEST_9", source_account_number="1")
    simulated.next("monnify", "login", outcome)

    found = simulated.ask("monnify", intent, keys)

    assert (found.code, found.is_final) == (p.FailureCode.NOT_SENT, False)
    assert simulated.books("monnify")["transfers"] == []


def test_wrong_keys_are_a_definite_failure(simulated):
    wrong = p.Keys(secret_key="s", public_key="wrong")

    assert simulated.ask("monnify", transfer(REFERENCE), wrong).code is p.FailureCode.UNAUTHORIZED


def test_what_a_transfer_needs_first_may_fail_without_it_being_sent(simulated):
    simulated.next("paystack", "recipients", "drop_after_commit")

    found = simulated.ask("paystack", transfer(simulated.reference()))

    assert (found.code, found.is_final) == (p.FailureCode.NOT_SENT, False)
    assert simulated.books("paystack")["transfers"] == []


def test_all_calls_of_an_intent_share_their_time(simulated, monkeypatch):
    monkeypatch.setattr(client_module, "WHOLE_SECONDS", 4)
    simulated.next("paystack", "recipients", "success", delay_ms=2500)
    simulated.next("paystack", "transfer", "success", delay_ms=3000)

    found = simulated.ask("paystack", transfer(simulated.reference()))

    assert found.cause is p.Cause.TIMED_OUT


@pytest.mark.parametrize("provider", PROVIDERS)
def test_keys_go_to_hosts_of_their_mode(provider):
    with pytest.raises(DomainError):
        ask(nowhere(), p.Balance(), provider=provider, keys=LIVE[provider])
    with pytest.raises(DomainError):
        ask(nowhere(), p.Balance(), provider=provider, is_test=False)
    with pytest.raises(InvariantError):
        ask(nowhere(), p.Balance(), provider=provider, keys=LIVE[provider], is_test=False)
    with pytest.raises(InvariantError):
        ask("http://localhost:1", p.Balance(), provider=provider, keys=LIVE[provider],
            is_test=False)  # fmt: skip


def test_test_keys_reach_no_live_host():
    with pytest.raises(InvariantError):
        ask("https://api.monnify.com", p.Balance())


def test_a_provider_that_there_is_not_is_not_found():
    with pytest.raises(DomainError):
        ask(nowhere(), p.Balance(), provider="stripe", keys=KEYS["paystack"])


def test_what_a_provider_cannot_do_is_not_asked_of_it():
    with pytest.raises(InvariantError):
        ask(nowhere(), p.ListRefunds(charge_reference=REFERENCE))


def test_bars_in_a_reference_are_one_part_of_the_path(simulated):
    reference, fact = simulated.paid("monnify")

    called = simulated.call("monnify", lookup(p.Kind.CHARGE, reference, fact.provider_id))

    assert "MNFY%7C" in called.calls[-1].path
    assert isinstance(called.outcome, p.Succeeded)


SECRETS = ("sk_test_4242", "FLWSECK_TEST-4242-X", "MONNIFY_TEST_SECRET", "MK_TEST_4242",
           "12345678901", "0690000031", "TU9O")  # fmt: skip


@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_secret_is_left_in_what_is_kept(simulated, provider):
    reference, fact = simulated.paid(provider)
    token = fact.method.token
    intents = [
        checkout(simulated.reference()),
        lookup(p.Kind.CHARGE, reference),
        p.Charge(reference=simulated.reference(), amount=naira("5"), payer=PAYER, token=token),
        transfer(simulated.reference()),
        p.Resolve(code="044", number="0690000031"),
        p.VirtualAccount(
            reference=simulated.reference(), currency="NGN", payer=PAYER, bvn="12345678901"
        ),
    ]

    kept = [call for one in intents for call in simulated.call(provider, one).calls]
    text = "\n".join(f"{one.path} {one.sent} {one.received} {one.fault}" for one in kept)

    assert [one for one in (*SECRETS, token) if one in text] == []
    assert "0031" in text
    assert all(one.milliseconds >= 0 and one.verb for one in kept)
    assert {one.reference for one in kept} >= {reference}


def test_logs_tell_provider_verb_and_outcome_and_no_more(simulated, caplog):
    caplog.set_level("INFO")

    simulated.ask("paystack", transfer(simulated.reference()))

    told = " ".join(record.getMessage() for record in caplog.records)
    assert "provider asked" in told
    assert [one for one in (*SECRETS, "Ada") if one in told] == []


@pytest.mark.parametrize(
    "shown", [KEYS["paystack"], p.Token("secret", None), p.Request(method="GET", path=("a",),
              authorization="secret"), p.SavedMethod(token="secret", is_reusable=True)],
)  # fmt: skip
def test_what_holds_secrets_does_not_show_them(shown):
    assert "secret" not in repr(shown)
    assert "4242" not in repr(shown)
