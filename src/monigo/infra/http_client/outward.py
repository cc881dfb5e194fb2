"""Where a merchant's own URLs may lead: to public addresses, never into the operator's network.

A name is resolved when a request is made, and the request goes to the very address that was looked
at, so that a name which changes in between leads nowhere else.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from monigo.infra.http_client.client import NotSentError
from monigo.infra.settings import Network

Address = IPv4Address | IPv6Address
# Resolves a host's name to its addresses.
Resolve = Callable[[str], Awaitable[list[str]]]

URL_LENGTH_MAX = 2_000
RESOLVE_SECONDS = 5
RESOLVING_THREADS = 32
_PORTS = {"https": 443, "http": 80}
# Where an operator allows all: for development.
EVERY_NETWORK: tuple[Network, ...] = (ip_network("0.0.0.0/0"), ip_network("::/0"))
# IPv4 inside of IPv6: what such an address leads to is decided by its last 32 bits.
_NAT64 = ip_network("64:ff9b::/96")
_OWN_NAMES = (".localhost", ".local", ".internal", ".home.arpa")


class Pinned(Struct, frozen=True):
    """A URL by the address of its host, with the name that goes with it."""

    url: str
    host: str
    server_name: str


class Outward:
    """Which URLs may be asked for a merchant. `networks` are private ones that are allowed."""

    def __init__(self, networks: Iterable[Network] = (), resolve: Resolve | None = None) -> None:
        self._networks = tuple(networks)
        self._resolve = resolve or _by_threads()

    def fault(self, url: str) -> str:
        """What is wrong with a URL as it is written; empty where nothing is."""
        parts = _parts(url)
        if parts is None or not parts.hostname or len(url) > URL_LENGTH_MAX:
            return "must be a URL such as https://shop.example/hooks"
        if parts.username is not None or parts.password is not None or parts.fragment:
            return "must hold no user, password or fragment"
        if parts.scheme != "https" and not (parts.scheme == "http" and self._networks):
            return "must begin with https://"
        host = parts.hostname.rstrip(".").lower()
        address = _address(host)
        is_own = host == "localhost" or host.endswith(_OWN_NAMES) or "." not in host
        if address is None and is_own and not self._networks:
            return "must be a public address"
        if address is not None and not self._is_allowed(address, parts.scheme):
            return "must be a public address"
        return ""

    async def pin(self, url: str) -> Pinned:
        """The URL by an address of its host that may be asked.

        Raises:
            NotSentError: the URL is not allowed, its name is unknown, or none of its addresses is
                public.
        """
        if self.fault(url):
            raise NotSentError(f"the URL {self.fault(url)}")
        parts = urlsplit(url)
        host = parts.hostname or ""
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                found = [host] if _address(host) else await self._resolve(host)
        except (OSError, TimeoutError, UnicodeError) as error:
            raise NotSentError("the host's name is unknown") from error
        addresses = [one for text in found if (one := _address(text)) is not None]
        # One that is private is reason enough: it would be another host's.
        if not addresses or not all(self._is_allowed(one, parts.scheme) for one in addresses):
            raise NotSentError("the host has no public address")
        first = addresses[0]
        shown = f"[{first}]" if isinstance(first, IPv6Address) else str(first)
        port = parts.port or _PORTS[parts.scheme]
        path = parts._replace(netloc=f"{shown}:{port}").geturl()
        return Pinned(path, parts.netloc, host)

    def _is_allowed(self, address: Address, scheme: str) -> bool:
        if any(address in network for network in self._networks):
            return True
        return scheme == "https" and is_public(address)


def is_public(address: Address) -> bool:
    """Whether an address is anybody's on the internet, whatever it is wrapped in."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        if address.sixtofour is not None or address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts if url.isascii() and url.isprintable() and " " not in url else None


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _by_threads() -> Resolve:
    """Resolves names in threads of its own: a name server that is away keeps one for a while."""
    threads = ThreadPoolExecutor(RESOLVING_THREADS, "resolve")

    async def resolve(host: str) -> list[str]:
        loop = asyncio.get_running_loop()
        ask = partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
        return [str(address[0]) for *_, address in await loop.run_in_executor(threads, ask)]

    return resolve
