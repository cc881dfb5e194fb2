"""The simulator's own books: what each merchant has at each provider, in memory and in a file.

The file is a journal: each change of a row is one line of JSON, written before the change is
answered, so that a process that is killed finds all it ever answered when it starts again.
"""

import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, field

# What a merchant can pay out before anybody pays it.
FIRST_BALANCE = Decimal(100_000_000)
# Ids of rows begin here, beyond 32 bits, as Paystack's do.
FIRST_ID = 4_099_260_516


class Row(Struct, kw_only=True, tag=True):
    """A row of some table; `id` is one sequence for all."""

    id: int
    provider: str
    # The secret key of whose it is.
    merchant: str
    at: str = ""


class Merchant(Row):
    """A merchant's account at a provider; webhooks go to its URL."""

    public_key: str = ""
    webhook_url: str = ""
    webhook_secret: str = ""
    balances: dict[str, Decimal] = field(default_factory=dict[str, Decimal])


class Customer(Row):
    """Whom a provider knows by e-mail."""

    email: str
    name: str = ""
    phone: str = ""


class Recipient(Row):
    """An account that Paystack was made known of."""

    code: str
    kind: str
    name: str
    number: str
    bank: str
    currency: str


class Method(Row):
    """A card that may be charged again, by a token."""

    token: str
    card: str
    email: str


class Account(Row):
    """A virtual account."""

    reference: str
    number: str
    name: str
    bank: str
    currency: str
    email: str
    customer: int = 0
    is_active: bool = True


class Charge(Row):
    """Money in: a checkout (open until it is paid), a pull or a deposit."""

    reference: str
    amount: Decimal
    currency: str
    status: str
    email: str
    name: str = ""
    # Less or more than the amount, where the payer sent that.
    paid: Decimal | None = None
    fee: Decimal = Decimal(0)
    channel: str = "card"
    card: str = ""
    token: str = ""
    code: str = ""
    return_url: str = ""
    reason: str = ""
    session: str = ""
    # Of a deposit.
    number: str = ""
    customer: int = 0
    # What was scripted for when it is paid.
    scripted: str = ""


class Transfer(Row):
    """Money out."""

    reference: str
    amount: Decimal
    currency: str
    status: str
    to: str
    bank: str
    name: str
    narration: str = ""
    recipient: str = ""
    code: str = ""
    fee: Decimal = Decimal(0)
    reason: str = ""
    session: str = ""
    batch: str = ""


class Refund(Row):
    """Money back; `reference` is the merchant's, where the provider takes one."""

    charge: int
    amount: Decimal
    currency: str
    status: str
    reference: str = ""
    note: str = ""
    reason: str = ""


class Message(Row):
    """A message to somebody; `reason` is Meta's code of why it failed."""

    reference: str
    code: str
    to: str
    template: str
    language: str
    parameters: list[str]
    status: str
    reason: str = ""


class Written(Row):
    """What somebody wrote to the merchant; `to` is whose phone it is."""

    code: str
    to: str
    text: str


AnyRow = (
    Merchant
    | Customer
    | Recipient
    | Method
    | Account
    | Charge
    | Transfer
    | Refund
    | Message
    | Written
)
Kept = TypeVar("Kept", bound=Row)
# By what rows are looked for; a merchant may have a hundred thousand.
_INDEXED = ("reference", "code", "token", "charge", "number", "email", "to")

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(AnyRow).decode


class Books:
    """All rows, by id; with a path, kept in a journal there."""

    def __init__(self, path: Path | None = None) -> None:
        self._rows: dict[type[Row], dict[int, Row]] = {}
        self._index: dict[tuple[type[Row], str, Any], dict[int, Row]] = {}
        self._next_id = FIRST_ID
        self._journal: int | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._load(path)
            self._journal = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def _load(self, path: Path) -> None:
        """Read what was kept; a line that a crash cut off was answered to nobody."""
        if not path.exists():
            return
        raw = path.read_bytes()
        whole = raw[: raw.rfind(b"\n") + 1]
        if whole != raw:
            os.truncate(path, len(whole))
        for line in whole.splitlines():
            row = _decode(line)
            self._put(row)
            self._next_id = max(self._next_id, row.id + 1)

    def _put(self, row: Row) -> None:
        kind = type(row)
        self._rows.setdefault(kind, {})[row.id] = row
        # A value that was another one before stays in the index: what is found there is looked at.
        for name in _INDEXED:
            value = getattr(row, name, None)
            if value:
                self._index.setdefault((kind, name, value), {})[row.id] = row

    def new_id(self) -> int:
        """An id that no row has."""
        self._next_id += 1
        return self._next_id - 1

    def keep(self, row: Kept) -> Kept:
        """Keep a row, new or changed."""
        self._put(row)
        if self._journal is not None:
            os.write(self._journal, _encode(row) + b"\n")
        return row

    def rename(self, provider: str, before: str, after: str) -> int:
        """Have all rows of a merchant be of another secret key; how many there are."""
        found = [
            row for kind in self._rows for row in self.all(kind, provider=provider, merchant=before)
        ]
        for row in found:
            row.merchant = after
            self.keep(row)
        return len(found)

    def clear(self) -> None:
        """Forget all but the merchants."""
        merchants = [*self.all(Merchant)]
        self._rows, self._index = {}, {}
        for row in merchants:
            self._put(row)
        if self._journal is not None:
            os.ftruncate(self._journal, 0)
            for row in self.all(Merchant):
                self.keep(row)

    def all(self, kind: type[Kept], **fields: Any) -> Iterator[Kept]:
        """The rows of a kind whose fields have these values, oldest first."""
        for row in self._found(kind, fields):
            has_all = all(getattr(row, name) == value for name, value in fields.items())
            if has_all and isinstance(row, kind):
                yield row

    def _found(self, kind: type[Row], fields: dict[str, Any]) -> list[Row]:
        """Rows among which those are that have these values, oldest first."""
        name = next((one for one in _INDEXED if fields.get(one)), None)
        if name is None:
            return list(self._rows.get(kind, {}).values())
        found = self._index.get((kind, name, fields[name]), {})
        return sorted(found.values(), key=lambda row: row.id)

    def one(self, kind: type[Kept], **fields: Any) -> Kept | None:
        """The newest such row."""
        return next(reversed([*self.all(kind, **fields)]), None)

    def get(self, kind: type[Kept], row_id: int) -> Kept | None:
        """The row of an id."""
        row = self._rows.get(kind, {}).get(row_id)
        return row if isinstance(row, kind) else None

    def close(self) -> None:
        """Close the file."""
        if self._journal is not None:
            os.close(self._journal)
            self._journal = None
