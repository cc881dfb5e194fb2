"""`monigo listen` forwards events of test mode to a machine that webhooks can't reach."""

import json

import pytest
from standardwebhooks import Webhook

from monigo.infra.http_client import HttpClient
from monigo.webhooks.deliveries.listening import Listening


@pytest.fixture
def http(api):
    async def make():
        return HttpClient()

    client = api.backend.run(make())
    yield client
    api.backend.run(client.close())


def test_what_comes_is_forwarded_once_and_signed_and_what_was_before_is_not(api, receiver, http):
    subscription = api.subscribed_customer()[-1]
    listening = Listening(http, api.backend.url, api.secret, receiver.url, print)
    api.backend.run(listening.begin())
    api.finalize(api.draft(subscription["id"])["id"])

    for _ in range(2):
        api.backend.run(listening.forward_new())

    made = api.get("/v1/billing-events").json()["events"][:3]
    assert [json.loads(raw) for raw in receiver.bodies] == made[::-1]
    for raw, headers in zip(receiver.bodies, receiver.headers, strict=True):
        Webhook(listening.secret).verify(raw, headers)


def test_a_machine_that_does_not_answer_ends_nothing(api, http, capsys):
    listening = Listening(http, api.backend.url, api.secret, "http://127.0.0.1:1/hooks", print)
    api.backend.run(listening.begin())
    api.subscribed_customer()

    api.backend.run(listening.forward_new())

    assert "not taken" in capsys.readouterr().out


def test_a_key_that_is_not_taken_ends_it(api, http, receiver):
    listening = Listening(http, api.backend.url, "mk_test_unheard", receiver.url, print)

    with pytest.raises(ConnectionError, match="HTTP 401"):
        api.backend.run(listening.begin())
