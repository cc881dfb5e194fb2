"""Cards and accounts that a provider lets us charge again."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from monigo.core.ids import ConnectionId, CustomerId, PaymentMethodId


class MethodType(StrEnum):
    """What is charged."""

    CARD = "card"
    BANK_ACCOUNT = "bank_account"
    MOBILE_MONEY = "mobile_money"


class PaymentMethod(Struct, frozen=True, kw_only=True):
    """A saved method of a customer's; the provider's token for it is kept encrypted, and not here.

    It is charged through its connection, with the `email` that the provider has it by. The month
    in which it expires is the last in which it can be charged; None where it is not known.
    """

    id: PaymentMethodId
    customer_id: CustomerId
    connection_id: ConnectionId
    provider: str
    type: MethodType
    email: str
    brand: str
    last4: str
    exp_month: int | None
    exp_year: int | None
    bank: str
    is_default: bool
    created_at: datetime
    removed_at: datetime | None = None


class Expiry(Struct, frozen=True):
    """When a card expires, and from when on that is soon."""

    soon_at: datetime
    at: datetime


class NewMethod(Struct, frozen=True, kw_only=True):
    """A method as it is stored: encrypted, and known by the keyed hash of its fingerprint."""

    method: PaymentMethod
    token: bytes
    fingerprint_hash: bytes

    def __repr__(self) -> str:
        return "NewMethod(…)"


class MethodForgetting(Struct, frozen=True):
    """The question whether a removed method may be forgotten; guards refuse while it is used."""

    method_id: PaymentMethodId
