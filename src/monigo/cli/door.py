"""How much of a server one address may take: connections, and requests that a proxy passes on.

Whoever asks through a trusted proxy is known by the address that the proxy saw, the last one of
`X-Forwarded-For` that is no trusted proxy itself. What stands before it is anybody's word.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from monigo.infra.settings import Network

Address = IPv4Address | IPv6Address
Headers = Sequence[tuple[bytes, bytes]]

FORWARDED_FOR = b"x-forwarded-for"
# Providers give a customer such a block of addresses, not a single one.
IPV6_PREFIX = 64
# Of one address, unless the settings say otherwise: several times what a client's pool keeps.
PER_ADDRESS_MAX = 256
# Of all addresses, as far as the system allows: each may take some hundred kB.
CONNECTIONS_MAX = 4_000


class Door:
    """Counts what each address has open, and says when that is too much.

    It also knows which connections have said nothing yet: the oldest of them go first, when there
    are too many connections of all addresses together.
    """

    def __init__(
        self,
        per_address_max: int = PER_ADDRESS_MAX,
        trusted_proxies: Iterable[Network] = (),
        connections_max: int = CONNECTIONS_MAX,
    ) -> None:
        self._per_address_max = per_address_max
        self._trusted = tuple(trusted_proxies)
        self._connections_max = connections_max
        self._open: dict[Address, int] = {}
        self._silent: dict[Hashable, Callable[[], None]] = {}

    def address_of(self, peer: tuple[str, int] | None) -> Address | None:
        """Whom a connection counts for; None for a proxy's and a local socket's."""
        address = _parsed(peer[0]) if peer else None
        return None if address is None or self._is_trusted(address) else _block(address)

    def forwarded_address(self, headers: Headers) -> Address | None:
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

    def enter(self, address: Address) -> bool:
        """Count one more of an address; False, uncounted, where it has too many already."""
        count = self._open.get(address, 0)
        if count >= self._per_address_max:
            return False
        self._open[address] = count + 1
        return True

    def leave(self, address: Address) -> None:
        """Count one less of an address."""
        count = self._open.pop(address) - 1
        if count:
            self._open[address] = count

    def begin_silence(self, connection: Hashable, hang_up: Callable[[], None]) -> None:
        """Note that a connection waits for its next request, from now on."""
        self._silent[connection] = hang_up

    def end_silence(self, connection: Hashable) -> None:
        """Note that a connection's request has come, or that it is closed."""
        self._silent.pop(connection, None)

    def make_room(self, connections: int) -> None:
        """Hang up on the connection that waits longest, where there are too many of them."""
        if connections > self._connections_max and self._silent:
            self._silent.pop(next(iter(self._silent)))()

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
