"""Paystack as an adapter: what it can do, and what its requests need first."""

from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from monigo.providers import port
from monigo.providers.paystack import webhooks
from monigo.providers.paystack.answers import account_name, outcome
from monigo.providers.paystack.requests import REQUESTS, request
from monigo.providers.port import (
    Failed,
    FailureCode,
    Intent,
    Kind,
    Outcome,
    PayoutMethod,
    Preparation,
    ProviderName,
    Repeat,
    Succeeded,
    Tokens,
    Verb,
)

_BANK = frozenset({PayoutMethod.BANK_TRANSFER})
_BOTH = _BANK | {PayoutMethod.MOBILE_MONEY}

CAPABILITIES = port.Capabilities(
    name=ProviderName.PAYSTACK,
    title="Paystack",
    live_url="https://api.paystack.co",
    test_url="https://api.paystack.co",
    live_key="sk_live_",
    test_key="sk_test_",
    live_public_key="pk_live_",
    test_public_key="pk_test_",
    verbs=frozenset(REQUESTS),
    collects_in={
        "CI": frozenset({"XOF"}),
        "EG": frozenset({"EGP"}),
        "GH": frozenset({"GHS"}),
        "KE": frozenset({"KES", "USD"}),
        "NG": frozenset({"NGN", "USD"}),
        "RW": frozenset({"RWF"}),
        "ZA": frozenset({"ZAR"}),
    },
    pays_out={"GH": _BOTH, "KE": _BOTH, "NG": _BANK, "ZA": _BANK},
    virtual_accounts=("NGN",),
    resolves=("NGN", "GHS"),
    unit=port.Unit.SUBUNIT,
    wires=webhooks.WIRES,
    minimums={
        "NGN": Decimal(50),
        "USD": Decimal(2),
        "GHS": Decimal("0.1"),
        "ZAR": Decimal(1),
        "KES": Decimal(3),
        "XOF": Decimal(1),
    },
    reference_pattern=r"[a-z0-9_-]{16,50}",
    bulk_rows_max=100,
    bulk_gap=timedelta(seconds=5),
    repeat={
        Verb.CHECKOUT: Repeat.REJECTS,
        Verb.CHARGE: Repeat.REJECTS,
        Verb.TRANSFER: Repeat.REJECTS,
        Verb.BULK: Repeat.REJECTS,
        Verb.REFUND: Repeat.PAYS_AGAIN,
        # A customer has one account at a bank.
        Verb.VIRTUAL_ACCOUNT: Repeat.RETURNS_FIRST,
    },
    callback=port.Callback.RETRIED,
    not_found=port.NotFound.MAYBE_LATER,
    signature=port.Signature.HMAC_SHA512,
    signature_header=webhooks.SIGNATURE_HEADER,
    is_signed_by_key=True,
    opens_widget_by_code=True,
)


def prepare(intent: Intent) -> Preparation | None:
    """What Paystack must know before: accounts that are paid, customers, a charge's id."""
    match intent:
        case port.Transfer() if not intent.account.recipient:
            first: Intent = port.Recipients(accounts=(intent.account,))
        case port.Bulk():
            unknown = [one.account for one in intent.transfers if not one.account.recipient]
            if not unknown:
                return None
            first = port.Recipients(accounts=tuple(unknown))
        case port.VirtualAccount() if not intent.customer:
            first = port.Customer(payer=intent.payer)
        case port.ListRefunds() if not intent.charge_id:
            first = port.Lookup(kind=Kind.CHARGE, reference=intent.charge_reference)
        case _:
            return None
    return Preparation(first, lambda found: _complete(intent, found))


def _complete(intent: Intent, found: Succeeded) -> Intent | Outcome:
    """The intent with what Paystack calls the things in it."""
    tokens = found.result if isinstance(found.result, Tokens) else Tokens({}, {})
    match intent:
        case port.Transfer():
            known = _with_recipient(intent, tokens)
            return known if known.account.recipient else _no_account(intent, tokens)
        case port.Bulk():
            known = tuple(_with_recipient(one, tokens) for one in intent.transfers)
            if any(one.account.recipient for one in known):
                return replace(intent, transfers=known)
            return _no_account(intent.transfers[0], tokens)
        case port.VirtualAccount():
            return replace(intent, customer=tokens.by_name.get(intent.payer.email, ""))
        case port.ListRefunds():
            return replace(intent, charge_id=found.fact.provider_id if found.fact else "")
        case _:
            return intent


def _with_recipient(intent: port.Transfer, tokens: Tokens) -> port.Transfer:
    name = intent.account.recipient or tokens.by_name.get(account_name(intent.account), "")
    return replace(intent, account=replace(intent.account, recipient=name))


def _no_account(intent: port.Transfer, tokens: Tokens) -> Failed:
    said = tokens.refused.get(account_name(intent.account), "the account was not accepted")
    return Failed(code=FailureCode.INVALID_RECIPIENT, reason=said, is_final=False)


ADAPTER = port.Adapter(
    capabilities=CAPABILITIES,
    request=request,
    outcome=outcome,
    facts=webhooks.facts,
    authentic=webhooks.authentic,
    prepare=prepare,
)
