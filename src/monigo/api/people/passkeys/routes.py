"""Routes of a person's passkeys."""

from fastapi import APIRouter

from monigo import people
from monigo.api.kernel.changes import OF_NO_ORGANIZATION
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.open import PeopleOfProcess
from monigo.api.kernel.routes.persons import ClaimsOfRequest
from monigo.api.kernel.routes.tenant import PersonRoute, Tx
from monigo.api.kernel.wire.incoming import Id
from monigo.api.kernel.wire.outgoing import Message
from monigo.api.people.passkeys.credentials import PasskeyOptions
from monigo.api.people.passkeys.schemas import (
    AddedPasskeyOut,
    OnePasskey,
    PasskeyIn,
    PasskeyList,
    PasskeyOut,
    RenameIn,
)
from monigo.core.access import Permission
from monigo.core.ids import PasskeyId

router = APIRouter(route_class=PersonRoute, tags=["user"], prefix="/user/passkeys")


@router.get("")
@atomic(Permission.ACCOUNT_READ)
async def list_passkeys(tx: Tx, claims: ClaimsOfRequest) -> PasskeyList:
    """List your passkeys."""
    found = await people.second_factor.passkeys.list_of(tx, claims.user_id)
    return PasskeyList(passkeys=[PasskeyOut.of(one) for one in found], count=len(found))


@router.post("/options")
@atomic(Permission.ACCOUNT_SECURE, changes=OF_NO_ORGANIZATION)
async def offer_passkey(
    tx: Tx, services: PeopleOfProcess, claims: ClaimsOfRequest
) -> PasskeyOptions:
    """Have a passkey made; POST /user/passkeys takes it, within five minutes.

    The `options` are those of `navigator.credentials.create`. Who has a second factor already shows
    it first (POST /auth/reauthenticate).
    """
    user = await people.accounts.get_user(tx, claims.user_id)
    options = await people.second_factor.passkeys.offer(tx, services.site, claims, user)
    return PasskeyOptions(options=options)


@router.post("", status_code=201)
@atomic(Permission.ACCOUNT_SECURE, changes=OF_NO_ORGANIZATION, has_secret=True)
async def add_passkey(
    tx: Tx, services: PeopleOfProcess, claims: ClaimsOfRequest, body: PasskeyIn
) -> AddedPasskeyOut:
    """Have a passkey asked for when you sign in. The first second factor has recovery codes."""
    added = await people.sign_in.add_passkey(
        services, tx, claims, body.name, body.credential.credential()
    )
    return AddedPasskeyOut.of(added)


@router.patch("/{passkey_id}")
@atomic(Permission.ACCOUNT_WRITE, changes=OF_NO_ORGANIZATION)
async def rename_passkey(
    tx: Tx, claims: ClaimsOfRequest, passkey_id: Id, body: RenameIn
) -> OnePasskey:
    """Give one of your passkeys another name."""
    renamed = await people.second_factor.passkeys.rename(
        tx, user_id=claims.user_id, passkey_id=PasskeyId(passkey_id), name=body.name
    )
    return OnePasskey(passkey=PasskeyOut.of(renamed))


@router.delete("/{passkey_id}")
@atomic(Permission.ACCOUNT_SECURE, changes=OF_NO_ORGANIZATION)
async def remove_passkey(
    tx: Tx, services: PeopleOfProcess, claims: ClaimsOfRequest, passkey_id: Id
) -> Message:
    """Have one of your passkeys count no more; you show your second factor first."""
    await people.sign_in.remove_passkey(services, tx, claims, PasskeyId(passkey_id))
    return Message(message="the passkey is removed")
