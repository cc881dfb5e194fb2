"""Payout accounts: where payees get their money, at a bank or by a phone."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct

from monigo.core.ids import CustomerId, PayoutAccountId
from monigo.providers.port import PayoutMethod


class ResolutionState(StrEnum):
    """What the provider says of the name that an account is in."""

    # It was not asked yet, or did not answer.
    UNRESOLVED = "unresolved"
    MATCHED = "matched"
    # Another name than the merchant's, which is for a person to look at.
    MISMATCHED = "mismatched"
    NOT_FOUND = "not_found"
    # No provider knows the names of such accounts.
    UNSUPPORTED = "unsupported"


class Resolution(Struct, frozen=True, kw_only=True):
    """What became of asking in whose name an account is; `at` is an instant of real time."""

    state: ResolutionState = ResolutionState.UNRESOLVED
    name: str = ""
    reason: str = ""
    tries: int = 0
    at: datetime | None = None


class PayoutAccount(Struct, frozen=True, kw_only=True):
    """A payee's account. Its number is encrypted; `last4` are the number's last digits.

    Instants but the resolution's are of the tenant's time. `changed_at` is when what is paid to was
    set or changed last.
    """

    id: PayoutAccountId
    customer_id: CustomerId
    account_name: str
    method: PayoutMethod
    bank_name: str
    bank_code: str
    number_ciphertext: bytes
    last4: str
    currency: str
    is_default: bool
    metadata: Mapping[str, Any]
    resolution: Resolution
    created_at: datetime
    updated_at: datetime
    changed_at: datetime


class AccountDetails(Struct, frozen=True, kw_only=True):
    """A payout account as the merchant sets it; `number` is a bank's, or a phone's in E.164."""

    account_name: str
    method: PayoutMethod
    bank_name: str
    bank_code: str
    number: str
    currency: str
    is_default: bool
    metadata: Mapping[str, Any]

    def __repr__(self) -> str:
        return "AccountDetails(…)"


class AccountChanges(Struct, frozen=True, kw_only=True):
    """What is to change of a payout account; None leaves it as it is."""

    account_name: str | None = None
    method: PayoutMethod | None = None
    bank_name: str | None = None
    bank_code: str | None = None
    number: str | None = None
    currency: str | None = None
    is_default: bool | None = None
    metadata: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        return "AccountChanges(…)"
