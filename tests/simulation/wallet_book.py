"""One wallet as an auditor keeps it, who says of each request how it must be answered."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

ACCEPTED, INVALID, LACKING, CONFLICT = 200, 400, 402, 409


@dataclass
class Held:
    """A reservation."""

    id: str
    amount: Decimal
    expires: datetime
    status: str = "open"


@dataclass
class WalletBook:
    """A wallet's balance, what is held of it, and which keys were used for what."""

    id: str
    currency: str
    status: str = "active"
    balance: Decimal = Decimal(0)
    held: dict[str, Held] = field(default_factory=dict)
    # By idempotency key: what was asked, and the first answer.
    answers: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    @property
    def reserved(self) -> Decimal:
        """What is held."""
        return sum((one.amount for one in self.held.values() if one.status == "open"), Decimal(0))

    def is_repeat(self, key: str, content: Any) -> bool:
        """Whether the same was asked under this key before."""
        return key in self.answers and self.answers[key][0] == content

    def answer_to(self, key: str, content: Any, currency: str, amount: Decimal) -> int:
        """How a movement is answered; `amount` is what it takes, or less than nothing."""
        if key in self.answers:
            return ACCEPTED if self.answers[key][0] == content else CONFLICT
        if currency != self.currency:
            return INVALID
        if self.status != "active":
            return CONFLICT
        return LACKING if amount > self.balance else ACCEPTED

    def answer_to_capture(self, held: Held, amount: Decimal) -> int:
        """How the capture of a part of a reservation is answered."""
        if held.status != "open":
            return CONFLICT
        if amount > held.amount:
            return INVALID
        return ACCEPTED if self.status == "active" else CONFLICT

    def settle(self, held: Held, captured: Decimal, status: str) -> None:
        """What was held is there again, but for what was captured."""
        held.status = status
        self.balance += held.amount - captured

    def pass_to(self, now: datetime) -> None:
        """What is held until an instant is there again."""
        for held in self.held.values():
            if held.status == "open" and held.expires <= now:
                self.settle(held, Decimal(0), "expired")
