"""Flutterwave v3 as an adapter: what it can do, and what its requests need first."""

from msgspec.structs import replace

from monigo.providers import port
from monigo.providers.flutterwave import webhooks
from monigo.providers.flutterwave.answers import outcome
from monigo.providers.flutterwave.requests import REQUESTS, request
from monigo.providers.port import (
    Intent,
    Kind,
    PayoutMethod,
    Preparation,
    ProviderName,
    Repeat,
    Succeeded,
    Verb,
)

_BANK = frozenset({PayoutMethod.BANK_TRANSFER})
_PHONE = frozenset({PayoutMethod.MOBILE_MONEY})

CAPABILITIES = port.Capabilities(
    name=ProviderName.FLUTTERWAVE,
    title="Flutterwave",
    live_url="https://api.flutterwave.com/v3",
    test_url="https://api.flutterwave.com/v3",
    live_key="FLWSECK-",
    test_key="FLWSECK_TEST-",
    live_public_key="FLWPUBK-",
    test_public_key="FLWPUBK_TEST-",
    verbs=frozenset(REQUESTS),
    collects=frozenset(
        {
            *("EGP", "ETB", "EUR", "GBP", "GHS", "KES", "MWK", "NGN", "RWF"),
            *("TZS", "UGX", "USD", "XAF", "XOF", "ZAR", "ZMW"),
        }
    ),
    pays_out={
        **dict.fromkeys(("BF", "GN", "GW", "ML", "NG", "SL", "TN", "ZA"), _BANK),
        **dict.fromkeys(("CI", "CM", "GH", "KE", "RW", "SN", "TZ", "UG", "ZM"), _BANK | _PHONE),
        **dict.fromkeys(("ET", "MW"), _PHONE),
    },
    virtual_accounts=("NGN", "GHS"),
    resolves=("NGN", "GHS"),
    networks={
        "ETB": ("AMOLEMONEY",),
        "GHS": ("MTN", "ATL", "VODAFONE"),
        "KES": ("MPS",),
        "MWK": ("AIRTELMW",),
        "RWF": ("MTN",),
        "TZS": ("AIRTEL", "HALOPESA", "TIGO", "VODACOM"),
        "UGX": ("MTN", "AIRTEL"),
        "XAF": ("MTN", "ORANGEMONEY"),
        "XOF": ("MTN", "MOOV", "ORANGE", "ORANGEMONEY", "WAVE", "EMONEY"),
        "ZMW": ("MPS",),
    },
    unit=port.Unit.MAJOR,
    wires=webhooks.WIRES,
    reference_pattern=r"[A-Za-z0-9_-]{1,50}",
    bulk_rows_max=500,
    repeat={
        # The same reference makes another link, and each can be paid.
        Verb.CHECKOUT: Repeat.PAYS_AGAIN,
        Verb.CHARGE: Repeat.PAYS_AGAIN,
        Verb.TRANSFER: Repeat.REJECTS,
        Verb.BULK: Repeat.REJECTS,
        Verb.REFUND: Repeat.PAYS_AGAIN,
        # Another account, whose deposits have the same reference.
        Verb.VIRTUAL_ACCOUNT: Repeat.PAYS_AGAIN,
    },
    callback=port.Callback.ONCE,
    not_found=port.NotFound.MAYBE_LATER,
    signature=port.Signature.LITERAL,
    signature_header=webhooks.SIGNATURE_HEADER,
    is_signed_by_key=False,
)


def prepare(intent: Intent) -> Preparation | None:
    """Refunds are of a transaction by its id, which is looked up where we don't know it."""
    if not isinstance(intent, port.Refund | port.ListRefunds) or intent.charge_id:
        return None

    def with_id(found: Succeeded) -> Intent:
        return replace(intent, charge_id=found.fact.provider_id if found.fact else "")

    lookup = port.Lookup(kind=Kind.CHARGE, reference=intent.charge_reference)
    return Preparation(lookup, with_id)


ADAPTER = port.Adapter(
    capabilities=CAPABILITIES,
    request=request,
    outcome=outcome,
    facts=webhooks.facts,
    authentic=webhooks.authentic,
    prepare=prepare,
)
