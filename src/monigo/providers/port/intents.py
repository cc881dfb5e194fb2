"""What may be asked of a provider: one struct for each verb, with all that the request needs.

References are ours, made and stored before anything is sent. Amounts are positive. An empty text
is what we don't know.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from msgspec import Struct, field

from monigo.core.money import Money


class Verb(StrEnum):
    """What an adapter may be able to do; 501 is answered for what is not among its verbs."""

    CHARGE = "charge"
    CHECKOUT = "checkout"
    DISABLE_CHECKOUT = "disable_checkout"
    REFUND = "refund"
    TRANSFER = "transfer"
    BULK = "bulk"
    AUTHORIZE = "authorize"
    RESEND_OTP = "resend_otp"
    VIRTUAL_ACCOUNT = "virtual_account"
    CLOSE_VIRTUAL_ACCOUNT = "close_virtual_account"
    FORGET_METHOD = "forget_method"
    RESOLVE = "resolve"
    BANKS = "banks"
    BALANCE = "balance"
    LOOKUP = "lookup"
    LIST_CHARGES = "list_charges"
    LIST_DEPOSITS = "list_deposits"
    LIST_REFUNDS = "list_refunds"
    LIST_TRANSFERS = "list_transfers"
    # Asked before another one, which needs what the provider calls an account or a customer.
    RECIPIENTS = "recipients"
    CUSTOMER = "customer"


class Kind(StrEnum):
    """What a provider keeps a row of."""

    CHARGE = "charge"
    DEPOSIT = "deposit"
    TRANSFER = "transfer"
    REFUND = "refund"
    DISPUTE = "dispute"
    VIRTUAL_ACCOUNT = "virtual_account"


class ProviderName(StrEnum):
    """A payment provider."""

    PAYSTACK = "paystack"
    FLUTTERWAVE = "flutterwave"
    MONNIFY = "monnify"


class PayoutMethod(StrEnum):
    """How money reaches a payee."""

    BANK_TRANSFER = "bank_transfer"
    MOBILE_MONEY = "mobile_money"


class PayoutAccount(Struct, frozen=True, kw_only=True):
    """An account that is paid: a bank's, or a phone's at a network.

    `code` is the provider's own of the bank or network, `number` the bank's account number or the
    phone number in E.164, `recipient` what the provider calls the account, where it does.
    """

    method: PayoutMethod = PayoutMethod.BANK_TRANSFER
    code: str
    number: str
    name: str
    currency: str
    recipient: str = ""


class Payer(Struct, frozen=True, kw_only=True):
    """Whom a charge or a virtual account is for; `phone` is in E.164."""

    email: str
    name: str = ""
    phone: str = ""


class Charge(Struct, frozen=True, kw_only=True):
    """A pull: money from a saved method, by the provider's token, with the e-mail it has it by."""

    verb: ClassVar[Verb] = Verb.CHARGE
    reference: str
    amount: Money
    payer: Payer
    token: str
    description: str = ""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Checkout(Struct, frozen=True, kw_only=True):
    """A link that a person may pay; `options` are the merchant's own, passed as they are."""

    verb: ClassVar[Verb] = Verb.CHECKOUT
    reference: str
    amount: Money
    payer: Payer
    return_url: str
    description: str = ""
    channels: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])


class DisableCheckout(Struct, frozen=True, kw_only=True):
    """Keep an open link from being paid."""

    verb: ClassVar[Verb] = Verb.DISABLE_CHECKOUT
    reference: str
    url: str


class Refund(Struct, frozen=True, kw_only=True):
    """Money back to whom a charge took it from; `charge_id` is the provider's, if known."""

    verb: ClassVar[Verb] = Verb.REFUND
    reference: str
    charge_reference: str
    charge_id: str = ""
    amount: Money
    reason: str = ""


class Transfer(Struct, frozen=True, kw_only=True):
    """One payout to one account."""

    verb: ClassVar[Verb] = Verb.TRANSFER
    reference: str
    amount: Money
    account: PayoutAccount
    narration: str = ""


class Bulk(Struct, frozen=True, kw_only=True):
    """Payouts of one currency in one call, each under its own reference."""

    verb: ClassVar[Verb] = Verb.BULK
    reference: str
    transfers: tuple[Transfer, ...]
    title: str = ""


class Authorize(Struct, frozen=True, kw_only=True):
    """The one-time password that the provider sent the merchant for a transfer."""

    verb: ClassVar[Verb] = Verb.AUTHORIZE
    reference: str
    provider_id: str
    otp: str


class ResendOtp(Struct, frozen=True, kw_only=True):
    """Have that one-time password sent anew."""

    verb: ClassVar[Verb] = Verb.RESEND_OTP
    reference: str
    provider_id: str


class VirtualAccount(Struct, frozen=True, kw_only=True):
    """A bank account number for deposits of one customer; `customer` is the provider's code.

    `bvn` and `nin` are sent on, and neither kept nor logged.
    """

    verb: ClassVar[Verb] = Verb.VIRTUAL_ACCOUNT
    reference: str
    currency: str
    payer: Payer
    bvn: str = ""
    nin: str = ""
    bank: str = ""
    customer: str = ""


class CloseVirtualAccount(Struct, frozen=True, kw_only=True):
    """End an account number; `provider_id` is what the provider calls it."""

    verb: ClassVar[Verb] = Verb.CLOSE_VIRTUAL_ACCOUNT
    reference: str
    provider_id: str


class ForgetMethod(Struct, frozen=True, kw_only=True):
    """Have the provider forget a saved method."""

    verb: ClassVar[Verb] = Verb.FORGET_METHOD
    token: str


class Resolve(Struct, frozen=True, kw_only=True):
    """In whose name a bank account is."""

    verb: ClassVar[Verb] = Verb.RESOLVE
    code: str
    number: str


class Banks(Struct, frozen=True, kw_only=True):
    """The banks or networks of a country (ISO 3166) that payouts in a currency go to."""

    verb: ClassVar[Verb] = Verb.BANKS
    country: str
    currency: str
    method: PayoutMethod = PayoutMethod.BANK_TRANSFER


class Balance(Struct, frozen=True, kw_only=True):
    """The balances that payouts can be made from."""

    verb: ClassVar[Verb] = Verb.BALANCE


class Lookup(Struct, frozen=True, kw_only=True):
    """What became of something sent before, by its reference or the provider's id."""

    verb: ClassVar[Verb] = Verb.LOOKUP
    kind: Kind
    reference: str
    provider_id: str = ""


class ListRows(Struct, frozen=True, kw_only=True):
    """A page of the charges or transfers of a time, for reconciliation. Pages count from 1."""

    verb: Verb
    since: datetime
    until: datetime
    page: int = 1


class ListRefunds(Struct, frozen=True, kw_only=True):
    """The refunds of one charge; an unknown one is found there by our reference in its note."""

    verb: ClassVar[Verb] = Verb.LIST_REFUNDS
    charge_reference: str
    charge_id: str = ""
    page: int = 1


class ListDeposits(Struct, frozen=True, kw_only=True):
    """A page of what came into a virtual account; `customer` is the provider's id of its owner."""

    verb: ClassVar[Verb] = Verb.LIST_DEPOSITS
    account_reference: str
    account_number: str
    customer: str = ""
    page: int = 1


class Recipients(Struct, frozen=True, kw_only=True):
    """What the provider calls accounts, which are made known to it."""

    verb: ClassVar[Verb] = Verb.RECIPIENTS
    accounts: tuple[PayoutAccount, ...]


class Customer(Struct, frozen=True, kw_only=True):
    """What the provider calls a customer, who is made known to it."""

    verb: ClassVar[Verb] = Verb.CUSTOMER
    payer: Payer


Intent = (
    Charge
    | Checkout
    | DisableCheckout
    | Refund
    | Transfer
    | Bulk
    | Authorize
    | ResendOtp
    | VirtualAccount
    | CloseVirtualAccount
    | ForgetMethod
    | Resolve
    | Banks
    | Balance
    | Lookup
    | ListRows
    | ListRefunds
    | ListDeposits
    | Recipients
    | Customer
)

# Their answers are about what was made before: a refusal to answer is no failure of that.
ABOUT_EARLIER = frozenset({Verb.LOOKUP, Verb.AUTHORIZE, Verb.RESEND_OTP})
# What makes money move; whatever is not understood of their answers may have moved it.
MOVES_MONEY = frozenset({Verb.CHARGE, Verb.REFUND, Verb.TRANSFER, Verb.BULK})


def reference_of(intent: Intent) -> str:
    """Our reference of what an intent is about; empty where it is about none."""
    return str(getattr(intent, "reference", "") or getattr(intent, "charge_reference", ""))
