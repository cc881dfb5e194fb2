"""Which address a connection or a proxy's request counts for."""

from ipaddress import ip_address, ip_network

import pytest

from monigo.cli.door import Door
from monigo.infra.settings import Settings

PROXIES = [ip_network("10.0.0.0/8"), ip_network("::1")]


@pytest.fixture
def door():
    return Door(2, PROXIES)


def headers(*values):
    return [(b"host", b"monigo"), *((b"x-forwarded-for", value.encode()) for value in values)]


@pytest.mark.parametrize(
    ("values", "address"),
    [
        ([], None),
        (["203.0.113.7"], "203.0.113.7"),
        (["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
        (["198.51.100.1", "203.0.113.7"], "203.0.113.7"),
        (["203.0.113.7, 10.1.2.3"], "203.0.113.7"),
        (["203.0.113.7", "10.1.2.3, 10.1.2.4"], "203.0.113.7"),
        (["203.0.113.7:51234"], "203.0.113.7"),
        (['"[2001:db8::7]:443"'], "2001:db8::"),
        (["2001:db8::7"], "2001:db8::"),
        (["2001:db8::ffff:7"], "2001:db8::"),
        (["::ffff:203.0.113.7"], "203.0.113.7"),
        (["fe80::1%eth0"], "fe80::"),
        (["unknown"], None),
        ([""], None),
        (["198.51.100.1, unknown, 10.1.2.3"], "10.1.2.3"),
        (["198.51.100.1,, 10.1.2.3"], "10.1.2.3"),
        (["10.0.0.1, 10.0.0.2"], "10.0.0.1"),
        (["\xff\x00, 203.0.113.7"], "203.0.113.7"),
        (["1" * 30_000], None),
    ],
)
def test_a_proxys_request_counts_for_the_last_address_that_is_no_proxy(door, values, address):
    assert door.forwarded_address(headers(*values)) == (address and ip_address(address))


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        (None, None),
        (("10.9.9.9", 1), None),
        (("::1", 1), None),
        (("203.0.113.7", 1), "203.0.113.7"),
        (("::ffff:203.0.113.7", 1), "203.0.113.7"),
        (("2001:db8::7", 1), "2001:db8::"),
    ],
)
def test_a_connection_counts_for_its_own_address_unless_it_is_a_proxys(door, peer, address):
    assert door.address_of(peer) == (address and ip_address(address))


def test_an_address_that_left_may_come_again(door):
    address = ip_address("203.0.113.7")
    entered = [door.enter(address) for _ in range(3)]

    door.leave(address)

    assert entered == [True, True, False]
    assert (door.enter(address), door.enter(ip_address("203.0.113.8"))) == (True, True)


def test_proxies_are_set_as_addresses_and_networks(monkeypatch):
    monkeypatch.setenv("MONIGO_TRUSTED_PROXIES", "10.0.0.0/8, ::1 ,192.0.2.1")

    assert Settings().trusted_proxies == (*PROXIES, ip_network("192.0.2.1"))


@pytest.mark.parametrize("text", ["nonsense", "10.0.0.0/33", "10.0.0.1/8"])
def test_what_is_no_network_is_refused_at_the_start(monkeypatch, text):
    monkeypatch.setenv("MONIGO_TRUSTED_PROXIES", text)

    with pytest.raises(ValueError, match="trusted_proxies"):
        Settings()
