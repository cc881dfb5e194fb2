"""Routes of API keys, for people: no key makes another."""

from fastapi import APIRouter

from monigo import tenancy
from monigo.api.kernel.changes import Changes
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Id
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import Message
from monigo.api.kernel.wire.paging import Paging
from monigo.api.people.api_keys.schemas import ApiKeyEnvelope, ApiKeyIn, ApiKeyList, ApiKeyOut
from monigo.core.access import Permission
from monigo.core.ids import ApiKeyId
from monigo.core.paging import page_of
from monigo.tenancy import ApiKey, IssuedKey

router = APIRouter(route_class=TenantRoute, tags=["api keys"], prefix="/api-keys")

NEW_API_KEY = Changes(
    "api_key",
    IssuedKey,
    lambda _tx, issued: ApiKeyOut.of_new(issued),
    lambda _tx, issued: issued.key.id,
    is_of_mode=False,
)
API_KEY = Changes(
    "api_key", ApiKey, lambda tx, key: ApiKeyOut.of(key, tx.real_now), is_of_mode=False
)


@router.get("", response_model=ApiKeyList)
@atomic(Permission.API_KEYS_READ)
async def list_api_keys(tx: Tx, paging: Paging) -> ListResponse:
    """List the organisation's keys of both modes, newest first."""
    found = await tenancy.keys_of(tx)
    page = page_of(found, paging)
    return ListResponse("api_keys", page, lambda key: ApiKeyOut.of(key, tx.real_now))


@router.post("", status_code=201)
@atomic(Permission.API_KEYS_WRITE, changes=NEW_API_KEY, has_secret=True)
async def create_api_key(tx: Tx, body: ApiKeyIn) -> ApiKeyEnvelope:
    """Make a key. Its secret is shown now and never again."""
    issued = await tenancy.add_key(
        tx,
        name=body.name,
        is_test_mode=body.is_test_mode,
        scopes=body.scopes,
        expires_at=body.expires_at,
    )
    return ApiKeyEnvelope(
        api_key=ApiKeyOut.of_new(issued), message="store the key: it is not shown again"
    )


@router.delete("/{api_key_id}")
@atomic(Permission.API_KEYS_WRITE, changes=API_KEY)
async def revoke_api_key(tx: Tx, api_key_id: Id) -> Message:
    """End a key for good: whatever is asked with it from now on is refused."""
    await tenancy.end_key(tx, ApiKeyId(api_key_id))
    return Message(message="API key revoked")


@router.patch("/{api_key_id}/toggle")
@atomic(Permission.API_KEYS_WRITE, changes=API_KEY)
async def toggle_api_key(tx: Tx, api_key_id: Id) -> ApiKeyEnvelope:
    """Switch a key off that is on, or on that is off."""
    key = await tenancy.toggle_key(tx, ApiKeyId(api_key_id))
    word = "off" if key.disabled_at else "on"
    return ApiKeyEnvelope(api_key=ApiKeyOut.of(key, tx.real_now), message=f"the API key is {word}")
