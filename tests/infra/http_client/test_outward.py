"""Merchants' own URLs lead to public addresses only, and to the one that was looked at."""

import asyncio
from ipaddress import ip_network

import pytest

from monigo.infra.http_client import NotSentError, Outward

PUBLIC, PRIVATE = "93.184.216.34", "10.1.2.3"


def resolving(*addresses):
    async def resolve(host):
        del host
        return list(addresses)

    return resolve


def pinned(outward, url):
    return asyncio.run(outward.pin(url))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://shop.example/hooks",
        "http://shop.example/hooks",
        "https://",
        "https://shop.example:99999/",
        "https://user:word@shop.example/",
        "https://shop.example/#part",
        "https://shop.example/a b",
        "https://localhost/",
        "https://intranet/",
        "https://db.internal./",
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://[2002:a00:1::]/",
        "https://224.0.0.1/",
        f"https://shop.example/{'x' * 2_000}",
    ],
)
def test_what_leads_nowhere_public_is_refused_as_it_is_written(url):
    assert Outward().fault(url).startswith("must ")
    with pytest.raises(NotSentError):
        pinned(Outward(resolve=resolving(PUBLIC)), url)


def test_a_public_url_is_pinned_to_the_address_that_was_looked_at():
    found = pinned(Outward(resolve=resolving(PUBLIC)), "https://shop.example:8443/hooks?a=1")

    assert found.url == f"https://{PUBLIC}:8443/hooks?a=1"
    assert (found.host, found.server_name) == ("shop.example:8443", "shop.example")


@pytest.mark.parametrize("addresses", [(PRIVATE,), (PUBLIC, PRIVATE), ("::1",), ()])
def test_a_name_that_leads_to_a_private_address_is_not_asked(addresses):
    with pytest.raises(NotSentError, match="no public address"):
        pinned(Outward(resolve=resolving(*addresses)), "https://shop.example/hooks")


def test_an_operator_may_allow_private_networks():
    outward = Outward([ip_network("10.0.0.0/8")], resolving(PRIVATE))

    assert outward.fault("http://shop/hooks") == ""
    assert pinned(outward, "http://shop/hooks").url == f"http://{PRIVATE}:80/hooks"
    with pytest.raises(NotSentError):
        pinned(Outward([ip_network("10.0.0.0/8")], resolving("192.168.0.1")), "http://shop/hooks")


def test_numbers_that_are_another_way_to_write_an_address_are_resolved_first():
    for host in ("2130706433", "0x7f.1", "127.1"):
        with pytest.raises(NotSentError):
            pinned(Outward(), f"https://{host}/")
