"""Routes of the devices on which a person is signed in."""

from fastapi import APIRouter

from monigo import people
from monigo.api.kernel.changes import OF_NO_ORGANIZATION
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.persons import ClaimsOfRequest
from monigo.api.kernel.routes.tenant import PersonRoute, Tx
from monigo.api.kernel.wire.incoming import Id
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import Message
from monigo.api.kernel.wire.paging import Paging
from monigo.api.people.sessions.schemas import RevokeAllIn, SessionList, SessionOut
from monigo.core.access import Permission
from monigo.core.ids import SessionId
from monigo.core.paging import page_of

router = APIRouter(route_class=PersonRoute, tags=["sessions"])


@router.get("/sessions", response_model=SessionList)
@atomic(Permission.ACCOUNT_READ)
async def list_sessions(tx: Tx, claims: ClaimsOfRequest, paging: Paging) -> ListResponse:
    """List the devices on which you are signed in."""
    found = await people.sessions.list_open(tx, claims.user_id)
    page = page_of(found, paging)
    return ListResponse("sessions", page, lambda one: SessionOut.of(one, claims))


@router.delete("/sessions/{session_id}")
@atomic(Permission.ACCOUNT_WRITE, changes=OF_NO_ORGANIZATION)
async def end_session(tx: Tx, claims: ClaimsOfRequest, session_id: Id) -> Message:
    """Sign one of your devices out, at once."""
    await people.sessions.end_one(tx, user_id=claims.user_id, session_id=SessionId(session_id))
    return Message(message="session ended")


@router.post("/sessions/revoke-all")
@atomic(Permission.ACCOUNT_WRITE, changes=OF_NO_ORGANIZATION)
async def end_other_sessions(tx: Tx, claims: ClaimsOfRequest, body: RevokeAllIn) -> Message:
    """Sign all of your devices out but the one that you ask with."""
    del body
    count = await people.sessions.end_others(tx, user_id=claims.user_id, but=claims.session_id)
    return Message(message=f"{count} other sessions ended")
