"""Routes of the audit log: of the organisation, in both modes."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from monigo import audit
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.csv_stream import CSV_RESPONSES, CsvStream, Marked
from monigo.api.kernel.wire.incoming import InstantIn, Name
from monigo.api.people.audit_logs.schemas import AuditLogList, AuditLogOut
from monigo.audit import ENTRIES_A_PAGE_MAX, OFFSET_MAX, EntryFilter
from monigo.bootstrap import Services
from monigo.core.access import Permission, PrincipalKind
from monigo.core.errors import invalid
from monigo.core.ids import parse_id

router = APIRouter(route_class=TenantRoute, tags=["audit log"], prefix="/audit-logs")

ENTRIES_A_PAGE = 50
CURSOR_LENGTH_MAX = 100


# Async, because FastAPI sends plain functions to a thread.
async def _filter(  # noqa: PLR0917 - what the contract's query has
    tx: Tx,
    resource_type: Annotated[Name | None, Query(examples=["customer"])] = None,
    resource_id: Annotated[Name | None, Query(description="a UUID")] = None,
    actor: Annotated[Name | None, Query(description="the id of a person or an API key")] = None,
    action: Annotated[Name | None, Query(examples=["update_customer"])] = None,
    start: Annotated[InstantIn, Query(alias="from")] = None,
    end: Annotated[InstantIn, Query(alias="to")] = None,
) -> EntryFilter:
    known = parse_id(resource_id) if resource_id else None
    if resource_id and known is None:
        raise invalid({"resource_id": "must be a UUID"})
    return EntryFilter(
        resource_type=resource_type or None,
        resource_id=known,
        actor_id=actor or None,
        action=action or None,
        start=start,
        end=end,
        # A key belongs to one mode, and reads no entries of the other one's data.
        is_of_own_mode=tx.principal.kind is PrincipalKind.API_KEY,
    )


Filter = Annotated[EntryFilter, Depends(_filter)]
Limit = Annotated[int, Query(ge=1, le=ENTRIES_A_PAGE_MAX)]
Offset = Annotated[int, Query(ge=0, le=OFFSET_MAX)]
Cursor = Annotated[
    str, Query(max_length=CURSOR_LENGTH_MAX, description="a `next_cursor`, instead of an offset")
]


@router.get("")
@atomic(Permission.AUDIT_READ)
async def list_audit_logs(
    tx: Tx,
    *,
    wanted: Filter,
    limit: Limit = ENTRIES_A_PAGE,
    offset: Offset = 0,
    cursor: Cursor = "",
) -> AuditLogList:
    """List who changed what, newest first: of both modes, and of the organisation itself.

    A key sees its own mode and the organisation. What happened in the other mode in the last two
    seconds may be missing. Going on with `next_cursor` neither repeats nor skips an entry.
    """
    if cursor and offset:
        raise invalid({"offset": "can't be combined with a cursor"})
    page = await audit.list_entries(tx, wanted, limit=limit, offset=offset, cursor=cursor)
    return AuditLogList(
        audit_logs=[AuditLogOut.of(tx.org_id, entry) for entry in page.entries],
        count=len(page.entries),
        has_more=page.after is not None,
        next_cursor=audit.cursor_text(page.after),
    )


@router.get(
    "/export",
    response_class=Response,  # Or errors would be documented as CSV, too.
    responses=CSV_RESPONSES,
)
@atomic(Permission.AUDIT_READ)
async def export_audit_logs(
    tx: Tx, request: Request, wanted: Filter, *, is_marked: Marked = False
) -> CsvStream:
    """Stream the log as CSV, newest first.

    Text that a spreadsheet would take for a formula begins with an apostrophe.
    """
    services: Services = request.app.state.services
    audit.check(wanted)
    # This transaction ends before the body is sent: the export opens its own ones.
    lines = audit.export_csv(services.database, tx.tenant, wanted)
    return CsvStream(lines, name="audit-log", is_marked=is_marked)
