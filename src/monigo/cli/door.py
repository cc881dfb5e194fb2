"""How much of a server one address may take: connections, and requests that a proxy passes on."""

from collections.abc import Callable, Hashable, Iterable

from monigo.infra.addresses import Address, ClientAddresses, Headers
from monigo.infra.settings import Network

# Of one address, unless the settings have another limit: several times what a client's pool keeps.
PER_ADDRESS_MAX = 256
# Of all addresses, as far as the system allows: each may take some hundred kB.
CONNECTIONS_MAX = 4_000


class Door:
    """Counts the open connections of each address, and refuses those above the limit.

    It also knows which connections have sent nothing yet: the oldest of them are closed first when
    all addresses together have too many.
    """

    def __init__(
        self,
        per_address_max: int = PER_ADDRESS_MAX,
        trusted_proxies: Iterable[Network] = (),
        connections_max: int = CONNECTIONS_MAX,
    ) -> None:
        self._per_address_max = per_address_max
        self._addresses = ClientAddresses(trusted_proxies)
        self._connections_max = connections_max
        self._open: dict[Address, int] = {}
        self._silent: dict[Hashable, Callable[[], None]] = {}

    def address_of(self, peer: tuple[str, int] | None) -> Address | None:
        """Whom a connection counts for; None for a proxy's and a local socket's."""
        return self._addresses.of_peer(peer)

    def forwarded_address(self, headers: Headers) -> Address | None:
        """Whom a proxy's request counts for; None for what the proxy asks for itself."""
        return self._addresses.forwarded(headers)

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
