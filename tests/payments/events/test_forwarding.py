"""Events are passed on as they came, to public addresses only, until they are taken."""

from ipaddress import ip_network

import pytest

from monigo.infra.http_client import Outward
from monigo.payments.events import Forwarding
from monigo.payments.events.service import FORWARD
from support.payments import connect, keys_of
from support.simulator import Listener
from support.webhooks import (
    HEADERS,
    due,
    paid,
    secret_of,
    send,
    signature,
    tasks_of,
    work_off,
)

LOOPBACK = ip_network("127.0.0.0/8")


@pytest.fixture
def merchants_shop():
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def forwarding(api):
    """The forwarding of an operator who allows the machine itself."""
    made = Forwarding(api.backend.services.provider_events.inbox, Outward([LOOPBACK]))
    yield made
    api.backend.run(made.close())


def heard(api, url, number=1):
    """An event of a connection that forwards to a URL."""
    connect(api, forward_url=url)
    raw = paid("paystack", "shop-1", number=number)
    secret = secret_of(keys_of("paystack", api.org_id))
    assert send(api, "paystack", raw, secret).status_code == 200
    return raw, signature("paystack", secret, raw)


def set_aside(api):
    found = api.get("/v1/set-aside").json()["set_aside"]
    return [one["reason"] for one in found if one["kind"] == FORWARD.name]


def test_an_event_is_forwarded_byte_by_byte_with_its_signature(api, merchants_shop, forwarding):
    raw, signed = heard(api, merchants_shop.url)

    work_off(api, forwarding.task)

    ((headers, body),) = merchants_shop.events
    assert (body, headers[HEADERS["paystack"]]) == (raw, signed)
    assert headers["host"] == merchants_shop.url.split("/")[2]
    assert due(api, FORWARD) == 0


def test_an_event_that_is_not_taken_is_forwarded_again(api, merchants_shop, forwarding):
    merchants_shop.statuses = [500, 302]
    heard(api, merchants_shop.url)

    work_off(api, forwarding.task)
    refused = set_aside(api)
    api.backend.clock.advance(seconds=11)
    work_off(api, forwarding.task)
    redirected = set_aside(api)
    api.backend.clock.advance(seconds=21)
    work_off(api, forwarding.task)

    assert refused == ["the forward URL answered HTTP 500"]
    assert redirected == ["the forward URL answered HTTP 302"]
    assert len(merchants_shop.events) == 3
    assert (set_aside(api), due(api, FORWARD)) == ([], 0)


def test_nothing_is_forwarded_into_the_operators_network(api, merchants_shop):
    heard(api, merchants_shop.url)

    work_off(api, *tasks_of(api, FORWARD))

    assert merchants_shop.events == []
    (reason,) = set_aside(api)
    assert reason.startswith("the forward URL could not be reached: the URL must")
