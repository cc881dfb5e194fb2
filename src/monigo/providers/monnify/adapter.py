"""Monnify as an adapter: what it can do, and what its requests need first."""

from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from monigo.providers import port
from monigo.providers.monnify import webhooks
from monigo.providers.monnify.answers import outcome
from monigo.providers.monnify.requests import REQUESTS, login_request, request, token_of
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

CAPABILITIES = port.Capabilities(
    name=ProviderName.MONNIFY,
    title="Monnify",
    live_url="https://api.monnify.com",
    test_url="https://sandbox.monnify.com",
    live_key="MK_PROD_",
    test_key="MK_TEST_",
    is_marked_by_public_key=True,
    verbs=frozenset(REQUESTS),
    collects_in={"NG": frozenset({"NGN"})},
    pays_out={"NG": frozenset({PayoutMethod.BANK_TRANSFER})},
    virtual_accounts=("NGN",),
    resolves=("NGN",),
    unit=port.Unit.MAJOR,
    wires=webhooks.WIRES,
    minimums={"NGN": Decimal(20)},
    reference_pattern=r"[A-Za-z0-9_-]{1,64}",
    bulk_rows_max=500,
    repeat={
        Verb.CHECKOUT: Repeat.REJECTS,
        Verb.CHARGE: Repeat.REJECTS,
        Verb.TRANSFER: Repeat.REJECTS,
        Verb.BULK: Repeat.REJECTS,
        Verb.REFUND: Repeat.REJECTS,
        Verb.VIRTUAL_ACCOUNT: Repeat.REJECTS,
    },
    callback=port.Callback.RETRIED,
    not_found=port.NotFound.MAYBE_LATER,
    signature=port.Signature.HMAC_SHA512,
    signature_header=webhooks.SIGNATURE_HEADER,
    is_signed_by_key=True,
    same_transfer_gap=timedelta(minutes=2),
)


def prepare(intent: Intent) -> Preparation | None:
    """Refunds are of a transaction by Monnify's reference, looked up where we don't know it."""
    if not isinstance(intent, port.Refund) or intent.charge_id:
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
    login=port.Login(login_request, token_of),
)
