"""Whose request it is, by network address.

A client behind a trusted proxy has the address that the proxy saw: the last one of
`X-Forwarded-For` that is no trusted proxy itself. Addresses before it are not trusted, for clients
can write them.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from monigo.infra.settings import Network

Address = IPv4Address | IPv6Address
Headers = Sequence[tuple[bytes, bytes]]

FORWARDED_FOR = b"x-forwarded-for"
# Providers give a customer such a block of addresses, not a single one.
IPV6_PREFIX = 64
# About a megabyte; of others it is worked out again.
PEERS_MAX = 4_096


class ClientAddresses:
    """Finds the client's address of a connection or request, past the operator's own proxies."""

    def __init__(self, trusted_proxies: Iterable[Network] = ()) -> None:
        self._trusted = tuple(trusted_proxies)
        # Requests come by thousands from a few peers.
        self._of_peer = lru_cache(PEERS_MAX)(self._of_host)

    def _of_host(self, host: str) -> Address | None:
        address = _parsed(host)
        return None if address is None or self._is_trusted(address) else _block(address)

    def of_peer(self, peer: tuple[str, int] | None) -> Address | None:
        """Whom a connection counts for; None for a proxy's and a local socket's."""
        return self._of_peer(peer[0]) if peer else None

    def forwarded(self, headers: Headers) -> Address | None:
        """Whom a proxy's request counts for; None for what the proxy asks for itself."""
        nearest: Address | None = None
        for name, value in reversed(headers):
            if name != FORWARDED_FOR:
                continue
            for text in reversed(value.decode("latin-1").split(",")):
                address = _parsed(text)
                if address is None:
                    return nearest  # Not an address: nobody vouches for what stands before it.
                nearest = _block(address)
                if not self._is_trusted(address):
                    return nearest
        return nearest

    def of_request(self, peer: tuple[str, int] | None, headers: Headers) -> str:
        """Whom a request counts for, as text; the machine itself where nobody else is known."""
        address = self.of_peer(peer) or self.forwarded(headers)
        return "local" if address is None else str(address)

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def _parsed(text: str) -> Address | None:
    """An address as proxies write it: bare, with a port, in brackets or quotes; None otherwise."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _block(address: Address) -> Address:
    """The address that stands for all that one customer of a provider has."""
    if isinstance(address, IPv4Address):
        return address
    network = ip_network((address, IPV6_PREFIX), strict=False)
    return network.network_address if isinstance(network, IPv6Network) else address
