"""Routes of portal tokens: links that open a customer's portal, and sessions of one visit."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from monigo import portal_access
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id, Name
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import Message
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.payment_links import usual_url
from monigo.api.merchant.portal_tokens.schemas import (
    PORTAL_TOKEN,
    PortalSessionEnvelope,
    PortalSessionIn,
    PortalSessionOut,
    PortalTokenEnvelope,
    PortalTokenIn,
    PortalTokenList,
    PortalTokenOut,
)
from monigo.bootstrap import Services
from monigo.core.access import Permission
from monigo.infra.crypto import Vault

router = APIRouter(route_class=TenantRoute, tags=["portal"], prefix="/portal")


def _vault(request: Request) -> Vault:
    services: Services = request.app.state.services
    return services.desk.vault


@router.post("/tokens", status_code=201)
@atomic(Permission.PORTAL_TOKENS_WRITE, changes=PORTAL_TOKEN, has_secret=True)
async def create_portal_token(tx: Tx, request: Request, body: PortalTokenIn) -> PortalTokenEnvelope:
    """Make a link by which a customer opens the portal, without signing in."""
    issued = await portal_access.issue(
        tx, _vault(request), body.customer(), body.wanted(tx.real_now)
    )
    shown = PortalTokenOut.of(tx, issued.token, issued.secret, usual_url(request))
    return PortalTokenEnvelope(token=shown, portal_url=shown.portal_url)


@router.get("/tokens", response_model=PortalTokenList)
@atomic(Permission.PORTAL_TOKENS_READ)
async def list_portal_tokens(
    tx: Tx,
    request: Request,
    paging: Paging,
    customer_id: Annotated[Name | None, Query(description="id or external_id")] = None,
) -> ListResponse:
    """List links that were not revoked, newest first; 404 for an unknown customer.

    Who may make such links sees them again.
    """
    vault, url = _vault(request), usual_url(request)
    may_see = tx.principal.may(Permission.PORTAL_TOKENS_WRITE)
    page = await portal_access.list_page(tx, paging, customer=customer_id or None)
    return ListResponse(
        "tokens",
        page,
        lambda one: PortalTokenOut.of(
            tx, one, portal_access.secret_of(vault, one) if may_see else "", url
        ),
    )


@router.delete("/tokens/{portal_token_id}")
@atomic(Permission.PORTAL_TOKENS_WRITE, changes=PORTAL_TOKEN)
async def revoke_portal_token(tx: Tx, portal_token_id: Id) -> Message:
    """End a link at once."""
    await portal_access.revoke(tx, portal_token_id)
    return Message(message="portal token revoked")


@router.post("/sessions", status_code=201)
@atomic(Permission.PORTAL_TOKENS_WRITE, changes=PORTAL_TOKEN, has_secret=True)
async def create_portal_session(
    tx: Tx, request: Request, body: PortalSessionIn
) -> PortalSessionEnvelope:
    """Make a token for one visit, with which a page of the merchant shows the portal."""
    wanted = body.wanted(tx.real_now)
    issued = await portal_access.issue(tx, _vault(request), body.customer(), wanted)
    shown = PortalTokenOut.of(tx, issued.token, issued.secret, usual_url(request))
    return PortalSessionEnvelope(
        session=PortalSessionOut(
            token=issued.secret,
            expires_at=issued.token.expires_at or tx.real_now,
            portal_url=shown.portal_url,
        )
    )
