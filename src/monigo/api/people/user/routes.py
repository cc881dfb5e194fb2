"""Routes of a person's own account and second factor."""

from fastapi import APIRouter

from monigo import people
from monigo.api.kernel.changes import OF_NO_ORGANIZATION
from monigo.api.kernel.routes.declarations import atomic, raw
from monigo.api.kernel.routes.open import OriginOfRequest, PeopleOfProcess
from monigo.api.kernel.routes.persons import ClaimsOfRequest
from monigo.api.kernel.routes.tenant import PersonRoute, Tx
from monigo.api.kernel.wire.outgoing import Message
from monigo.api.people.auth.schemas import UserOut
from monigo.api.people.user.schemas import (
    CodeIn,
    ProfileIn,
    ProfileOut,
    RecoveryCodesOut,
    SecondFactorOut,
    SetupOut,
)
from monigo.core.access import Permission

router = APIRouter(route_class=PersonRoute, tags=["user"], prefix="/user")


@router.get("/profile")
@atomic(Permission.ACCOUNT_READ)
async def get_profile(tx: Tx, claims: ClaimsOfRequest) -> ProfileOut:
    """Read your own account."""
    return ProfileOut(user=UserOut.of(await people.accounts.get_user(tx, claims.user_id)))


@router.put("/profile")
@atomic(Permission.ACCOUNT_WRITE, changes=OF_NO_ORGANIZATION)
async def update_profile(tx: Tx, claims: ClaimsOfRequest, body: ProfileIn) -> ProfileOut:
    """Change your name."""
    renamed = await people.accounts.rename_user(tx, claims.user_id, body.full_name)
    return ProfileOut(user=UserOut.of(renamed))


@router.get("/second-factor")
@atomic(Permission.ACCOUNT_READ)
async def get_second_factor(tx: Tx, claims: ClaimsOfRequest) -> SecondFactorOut:
    """Read whether a second factor is asked for when you sign in."""
    return SecondFactorOut.of(await people.second_factor.state_of(tx, claims.user_id))


@router.post("/second-factor", status_code=201)
@atomic(Permission.ACCOUNT_SECURE, changes=OF_NO_ORGANIZATION, has_secret=True)
async def set_up_second_factor(
    tx: Tx, services: PeopleOfProcess, claims: ClaimsOfRequest
) -> SetupOut:
    """Set an authenticator app up. It counts once POST …/confirm has seen a code of it."""
    user = await people.accounts.get_user(tx, claims.user_id)
    return SetupOut.of(await people.second_factor.set_up(tx, services.vault, claims, user))


@router.post("/second-factor/confirm")
@atomic(Permission.ACCOUNT_SECURE, changes=OF_NO_ORGANIZATION, has_secret=True)
async def confirm_second_factor(
    tx: Tx, services: PeopleOfProcess, claims: ClaimsOfRequest, body: CodeIn
) -> RecoveryCodesOut:
    """Have the second factor asked for from now on; keep the recovery codes.

    There are none where they came with a passkey before.
    """
    codes = await people.sign_in.confirm_app(services, tx, claims, body.code)
    return RecoveryCodesOut(recovery_codes=codes)


@router.post("/second-factor/recovery-codes")
@raw(Permission.ACCOUNT_SECURE, changes=OF_NO_ORGANIZATION)
async def renew_recovery_codes(
    services: PeopleOfProcess, origin: OriginOfRequest, claims: ClaimsOfRequest, body: CodeIn
) -> RecoveryCodesOut:
    """Get new recovery codes; those of before count no more."""
    codes = await people.sign_in.renew_recovery_codes(services, origin, claims, body.code)
    return RecoveryCodesOut(recovery_codes=codes)


@router.post("/second-factor/off")
@raw(Permission.ACCOUNT_SECURE, changes=OF_NO_ORGANIZATION)
async def switch_second_factor_off(
    services: PeopleOfProcess, origin: OriginOfRequest, claims: ClaimsOfRequest, body: CodeIn
) -> Message:
    """Have no second factor asked for any more: app, passkeys and recovery codes are forgotten."""
    await people.sign_in.switch_second_factor_off(services, origin, claims, body.code)
    return Message(message="the second factor is off")
