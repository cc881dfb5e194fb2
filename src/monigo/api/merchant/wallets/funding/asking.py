"""What asking for a customer's money answers: a link, a session, or why there is none."""

from fastapi import Response
from msgspec import UNSET, Struct

from monigo import collection
from monigo.api.kernel.changes import Changes
from monigo.api.kernel.http.errors import error_response, plain_error
from monigo.api.kernel.routes.declarations import Outside
from monigo.api.kernel.wire.outgoing import Answer
from monigo.api.merchant.wallets.funding.schemas import AskedOut, FundingOut
from monigo.core.errors import invalid
from monigo.core.ids import ChargeId
from monigo.core.money import format_money
from monigo.infra.db import Transaction
from monigo.payments import charges
from monigo.payments.charges import Charge, ChargeState

CHARGE = Changes("transaction", Charge, lambda _tx, charge: AskedOut.of(charge))

# A provider that did not answer has mostly recovered by then.
RETRY_SECONDS = 10


class FundingIntent(Struct, frozen=True):
    """The charge that a request intends."""

    charge_id: ChargeId
    is_inline: bool


async def open_funding(outside: Outside, intent: FundingIntent) -> Charge:
    """Ask the provider for a link or a session."""
    services = outside.services
    return await charges.submit(services.desk, services.database, outside.tenant, intent.charge_id)


async def funding_opened(tx: Transaction, intent: FundingIntent, charge: Charge) -> Response:
    """The link or session, the provider's refusal, or that it is not known yet what it did."""
    if charge.state is ChargeState.FAILED and charge.failure is not None:
        return error_response(invalid({"provider": charge.failure.reason}))
    if not (charge.url or charge.is_inline):
        said = "the provider has not answered yet; ask again"
        return plain_error(503, "provider_unknown", said, {"Retry-After": str(RETRY_SECONDS)})
    return Answer(await _session(tx, charge) if intent.is_inline else _link(charge))


def _link(charge: Charge) -> FundingOut:
    return FundingOut(
        provider=charge.provider,
        reference=charge.reference,
        transaction_id=charge.id,
        amount=format_money(charge.amount.amount),
        currency=charge.amount.currency,
        message="the wallet is credited when the provider has received the money",
        authorization_url=charge.url,
    )


async def _session(tx: Transaction, charge: Charge) -> FundingOut:
    session = await collection.funding.session_of(tx, charge)
    return FundingOut(
        provider=charge.provider,
        reference=charge.reference,
        transaction_id=charge.id,
        amount=format_money(charge.amount.amount),
        currency=charge.amount.currency,
        email=charge.email,
        customer_name=session.customer_name,
        public_key=session.public_key,
        access_code=charge.access_code or UNSET,
        contract_code=session.contract_code or UNSET,
        meta={"reference": charge.reference, "wallet_id": str(charge.wallet_id)},
        authorization_url=charge.url or UNSET,
    )
