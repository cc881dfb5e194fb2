"""What an adapter is: a provider's capabilities, and pure functions between intents and HTTP."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from monigo.providers.port.amounts import Wire
from monigo.providers.port.intents import Intent, PayoutMethod, ProviderName, Verb
from monigo.providers.port.outcomes import Fact, Outcome, Succeeded


class Unit(StrEnum):
    """In what amounts are written."""

    SUBUNIT = "subunit"
    MAJOR = "major"


class Repeat(StrEnum):
    """What the same reference sent again does, once the first has arrived."""

    RETURNS_FIRST = "returns_first"
    REJECTS = "rejects"
    IGNORED = "ignored"
    PAYS_AGAIN = "pays_again"


class Callback(StrEnum):
    """How often a webhook is sent that was not taken."""

    NONE = "none"
    ONCE = "once"
    RETRIED = "retried"


class NotFound(StrEnum):
    """What a look-up that finds nothing is worth."""

    NEVER_ARRIVED = "never_arrived"
    MAYBE_LATER = "maybe_later"


class Signature(StrEnum):
    """How webhooks are signed; a literal one is a password, which proves nothing of the body."""

    HMAC_SHA512 = "hmac_sha512"
    LITERAL = "literal"


class Authenticity(StrEnum):
    """Whether a webhook is the provider's; by an unverifiable one, only a look-up may decide."""

    YES = "yes"
    NO = "no"
    UNVERIFIABLE = "unverifiable"


class Capabilities(Struct, frozen=True, kw_only=True):
    """What a provider can do, and how it behaves; what it can't is not among its verbs.

    It collects the currencies of `collects` from payers anywhere, those of `collects_in` for
    merchants of the country (ISO 3166). `pays_out` are the countries of payees, who are paid in
    their country's currency, and `minimums` the least that it charges at once.
    """

    name: ProviderName
    title: str
    live_url: str
    test_url: str
    # The beginnings of the keys that show their mode: secret ones, or else the public ones.
    live_key: str
    test_key: str
    is_marked_by_public_key: bool = False
    # The beginnings of public keys, where these show it, too.
    live_public_key: str = ""
    test_public_key: str = ""
    verbs: frozenset[Verb]
    collects: frozenset[str] = frozenset()
    collects_in: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    pays_out: Mapping[str, frozenset[PayoutMethod]]
    # Currencies that virtual accounts may be in, and of whose accounts it names the owners.
    virtual_accounts: tuple[str, ...]
    resolves: tuple[str, ...]
    # Codes of the networks that mobile money is paid out to, where the list of banks has none.
    networks: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    unit: Unit
    wires: Mapping[str, Wire]
    minimums: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    # All that references may hold, for charges and transfers alike.
    reference_pattern: str
    bulk_rows_max: int
    bulk_gap: timedelta = timedelta()
    repeat: Mapping[Verb, Repeat]
    callback: Callback
    not_found: NotFound
    signature: Signature
    signature_header: str
    # What signs webhooks: the secret key itself, or a secret of its own.
    is_signed_by_key: bool
    # Its widget is opened by the access code of a checkout; other widgets make the checkout.
    opens_widget_by_code: bool = False
    # The same destination and amount are refused so long, even under another reference.
    same_transfer_gap: timedelta = timedelta()

    def collected_in(self, country: str, currency: str) -> frozenset[str]:
        """What it collects for a country's merchants, whose own currency is given."""
        return self.collects_in.get(country, frozenset()) | (self.collects & {currency})

    def is_collected(self, currency: str) -> bool:
        """Whether it collects a currency at all."""
        return currency in self.collects or any(
            currency in currencies for currencies in self.collects_in.values()
        )


class Keys(Struct, frozen=True, kw_only=True):
    """A merchant's keys at a provider, of one mode, and what its requests need beside them."""

    secret_key: str
    public_key: str = ""
    contract_code: str = ""
    source_account_number: str = ""

    def __repr__(self) -> str:
        return "Keys(…)"


class Request(Struct, frozen=True, kw_only=True):
    """A request to be sent: parts of a path below the base URL, which are yet to be encoded."""

    method: str
    path: tuple[str, ...]
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Any = None
    # Without one, the caller logs in and sends the token it gets.
    authorization: str = ""

    def __repr__(self) -> str:
        return f"Request({self.method} {'/'.join(self.path)})"


def get(*path: str, **query: str | int) -> Request:
    """A request that reads; a query without a value is left out."""
    said = {name: str(value) for name, value in query.items() if value != ""}
    return Request(method="GET", path=path, query=said)


def post(*path: str, **body: Any) -> Request:
    """A request with an object as its body; what we don't know is left out of it."""
    said = {name: value for name, value in body.items() if value not in ("", None, ())}
    return Request(method="POST", path=path, body=said)


class Answer(Struct, frozen=True):
    """What came back: the names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Token(Struct, frozen=True):
    """What stands for the keys for some time."""

    value: str
    lifetime: timedelta

    def __repr__(self) -> str:
        return "Token(…)"


class Login(Struct, frozen=True):
    """How a token is had, and read from the answer; None where there is none in it."""

    request: Callable[[Keys], Request]
    token: Callable[[Answer], Token | None]


class Preparation(Struct, frozen=True):
    """What must be asked first, and the intent with what that brought."""

    first: Intent
    then: Callable[[Succeeded], "Intent | Outcome"]


def _needs_nothing(intent: Intent) -> Preparation | None:
    del intent
    return None


class Adapter(Struct, frozen=True, kw_only=True):
    """A provider's protocol as pure functions.

    request: the request that an intent is sent as. Raises DomainError (invalid) for an amount or
        account that the provider does not take.
    outcome: what an answer says. Reads the body, never the status alone, and raises nothing.
    facts: what a webhook reports, given its headers and bytes; nothing for events of no concern.
    authentic: whether the bytes are signed by one of the secrets, of which there are two while
        one replaces the other. Compares in constant time.
    prepare: what the intent needs first.
    login: how a token is had, where requests need one.
    """

    capabilities: Capabilities
    request: Callable[[Intent, Keys], Request]
    outcome: Callable[[Intent, Answer], Outcome]
    facts: Callable[[Mapping[str, str], bytes], list[Fact]]
    authentic: Callable[[Mapping[str, str], bytes, Sequence[str]], Authenticity]
    prepare: Callable[[Intent], Preparation | None] = _needs_nothing
    login: Login | None = None
