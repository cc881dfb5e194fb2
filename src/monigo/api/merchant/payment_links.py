"""What routes have in common that have a customer pay by a link of a provider's."""

from fastapi import Request
from msgspec import Struct
from starlette.responses import Response

from monigo.api.kernel.http.errors import plain_error
from monigo.api.kernel.routes.declarations import Outside
from monigo.bootstrap import Services
from monigo.core.ids import ChargeId
from monigo.infra.settings import public_url_of
from monigo.payments import charges
from monigo.payments.charges import Charge, ChargeKind, ChargeState

# When a client asks again for what a provider did not answer.
ASK_AGAIN_SECONDS = 5


class ChargeIntent(Struct, frozen=True):
    """A charge that was made, and is to be sent."""

    charge_id: ChargeId


async def send_charge(outside: Outside, intent: ChargeIntent) -> Charge:
    """Send a charge, or ask what became of it."""
    services = outside.services
    return await charges.submit(services.desk, services.database, outside.tenant, intent.charge_id)


def usual_url(request: Request) -> str:
    """Where payers go after a payment, unless a request says it."""
    services: Services = request.app.state.services
    return public_url_of(services.settings)


def failed_link(charge: Charge) -> Response | None:
    """The answer where a provider made no link; None where there is one."""
    failure = charge.failure
    if charge.state is ChargeState.FAILED and failure is not None:
        reason = failure.reason or failure.code
        return plain_error(409, "payment_refused", f"the provider refused it: {reason}")
    if charge.kind is ChargeKind.CHECKOUT and charge.is_live and not charge.url:
        headers = {"Retry-After": str(ASK_AGAIN_SECONDS)}
        message = "the provider has not answered; ask again, and the same link is made"
        return plain_error(503, "provider_unavailable", message, headers)
    return None
