"""Routes of mails to customers: what became of them, what they say, who gets none."""

from typing import Annotated

from fastapi import APIRouter, Query

from monigo import tenancy
from monigo.api.kernel.changes import Changes
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id, Name
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import Message
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.mails.schemas import (
    CustomerMailList,
    CustomerMailOut,
    MailPreviewEnvelope,
    MailPreviewOut,
    MailSuppressionList,
    MailSuppressionOut,
)
from monigo.core.access import Permission
from monigo.core.errors import invalid
from monigo.core.languages import tag_fault
from monigo.notifications import mails
from monigo.notifications.mails import MailStatus, Suppression
from monigo.tenancy import MailType

router = APIRouter(route_class=TenantRoute, tags=["mails"])

MAIL_SUPPRESSION = Changes(
    "mail_suppression", Suppression, lambda _tx, one: MailSuppressionOut.of(one)
)


@router.get("/customer-mails", response_model=CustomerMailList)
@atomic(Permission.CUSTOMERS_READ)
async def list_customer_mails(
    tx: Tx,
    paging: Paging,
    customer_id: Annotated[Name | None, Query()] = None,
    status: Annotated[MailStatus | None, Query()] = None,
) -> ListResponse:
    """List the mails to customers of the last 180 days, and what became of them, newest first."""
    page = await mails.list_page(tx, paging, customer=customer_id or None, status=status)
    return ListResponse("customer_mails", page, CustomerMailOut.of)


@router.get("/customer-mails/preview")
@atomic(Permission.CUSTOMERS_READ)
async def preview_customer_mail(
    tx: Tx,
    mail_type: Annotated[MailType, Query(alias="type")],
    locale: Annotated[Name, Query()] = "",
) -> MailPreviewEnvelope:
    """Show what a type of mail says in a language, with made-up data."""
    fault = tag_fault(locale) if locale else None
    if fault is not None:
        raise invalid({"locale": fault})
    organization = await tenancy.get_organization(tx)
    occasion, known = mails.sample(
        organization, mail_type, tx.now, locale=locale, is_test=tx.is_test
    )
    content, mail = mails.preview(occasion, known)
    preview = MailPreviewOut.of(mail_type, content.language, mail)
    return MailPreviewEnvelope(mail_preview=preview)


@router.get("/mail-suppressions", response_model=MailSuppressionList)
@atomic(Permission.CUSTOMERS_READ)
async def list_mail_suppressions(tx: Tx, paging: Paging) -> ListResponse:
    """List the addresses that get no mails, newest first."""
    page = await mails.list_suppressions(tx, paging)
    return ListResponse("mail_suppressions", page, MailSuppressionOut.of)


@router.delete("/mail-suppressions/{mail_suppression_id}")
@atomic(Permission.CUSTOMERS_WRITE, changes=MAIL_SUPPRESSION)
async def lift_mail_suppression(tx: Tx, mail_suppression_id: Id) -> Message:
    """Let an address get mails again."""
    await mails.lift_suppression(tx, mail_suppression_id)
    return Message(message="mail suppression lifted")
