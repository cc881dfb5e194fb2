"""Routes of registering, signing in and out, and of forgotten passwords."""

from fastapi import APIRouter, Request, Response

from monigo import people
from monigo.api.kernel.changes import OF_NO_ORGANIZATION
from monigo.api.kernel.http.errors import STATUSES
from monigo.api.kernel.routes.declarations import atomic, public, raw
from monigo.api.kernel.routes.open import OpenRoute, OriginOfRequest, PeopleOfProcess
from monigo.api.kernel.routes.persons import ClaimsOfRequest
from monigo.api.kernel.routes.tenant import PersonRoute, Tx
from monigo.api.kernel.wire.outgoing import Answer, Message
from monigo.api.people.auth import cookies
from monigo.api.people.auth.schemas import (
    ChallengeBody,
    ChallengeIn,
    EmailIn,
    LoginIn,
    ReauthenticateIn,
    RefreshIn,
    RegisteredOut,
    RegisterIn,
    ResetIn,
    ResetTokenOut,
    SecondFactorIn,
    SignedInOut,
    UserOut,
    VerifyIn,
)
from monigo.api.people.passkeys.credentials import PasskeyOptions
from monigo.core.access import Permission
from monigo.core.errors import DomainError, ErrorKind
from monigo.core.ids import UserId
from monigo.people import Challenged, NewAccount, SignedIn

router = APIRouter(route_class=OpenRoute, tags=["auth"], prefix="/auth")
of_persons = APIRouter(route_class=PersonRoute, tags=["auth"], prefix="/auth")

# The same answer for known and unknown e-mails.
MAILED = Message(message="if the e-mail waits for one, a code was mailed to it")


def _answer(request: Request, signed_in: SignedIn, *, is_by_cookie: bool = False) -> Response:
    # What came as a cookie stays one, so that no script gets at it by leaving a header out.
    is_browser = is_by_cookie or cookies.is_browser(request)
    response = Answer(SignedInOut.of(signed_in, hides_refresh_token=is_browser))
    if is_browser:
        cookies.give(request, response, signed_in.refresh_token)
    return response


def _challenge(answered: Challenged) -> Response:
    needed = DomainError(
        ErrorKind.FORBIDDEN,
        "second_factor_required",
        "your second factor is needed",
    )
    body = ChallengeBody(needed.message, needed.code, challenge=answered.challenge)
    return Answer(body, STATUSES[needed.kind])


@router.post("/register", status_code=201)
@public
async def register(
    services: PeopleOfProcess, origin: OriginOfRequest, body: RegisterIn
) -> RegisteredOut:
    """Register an e-mail. A code of six digits is mailed, by which it is verified."""
    wanted = NewAccount(body.email, body.full_name, body.password)
    made = await people.accounts.register(services, origin, wanted)
    user = UserOut(
        id=UserId(made.id), email=made.email, full_name=made.full_name, email_verified=False
    )
    return RegisteredOut(message="a code was mailed to you", user=user)


@router.post("/verify-email", response_model=SignedInOut)
@public
async def verify_email(
    services: PeopleOfProcess, origin: OriginOfRequest, request: Request, body: VerifyIn
) -> Response:
    """Verify an e-mail by the code that was mailed to it, and sign in."""
    return _answer(
        request, await people.sign_in.verify_email(services, origin, body.email, body.code)
    )


@router.post("/resend-verification")
@public
async def resend_verification(
    services: PeopleOfProcess, origin: OriginOfRequest, body: EmailIn
) -> Message:
    """Have another code mailed. The answer is the same for known and unknown e-mails."""
    await people.accounts.resend_verification(services, origin, body.email)
    return MAILED


@router.post("/login", response_model=SignedInOut)
@public
async def login(
    services: PeopleOfProcess, origin: OriginOfRequest, request: Request, body: LoginIn
) -> Response:
    """Sign in by password.

    403 `second_factor_required` comes with a `challenge`, for POST /auth/second-factor.
    """
    answered = await people.sign_in.login(services, origin, body.email, body.password)
    if isinstance(answered, Challenged):
        return _challenge(answered)
    return _answer(request, answered)


@router.post("/second-factor", response_model=SignedInOut)
@public
async def login_by_second_factor(
    services: PeopleOfProcess, origin: OriginOfRequest, request: Request, body: SecondFactorIn
) -> Response:
    """Sign in by the second factor, after the password was right: by a code, or by a passkey."""
    signed_in = await people.sign_in.login_by_second_factor(
        services, origin, body.challenge, body.shown()
    )
    return _answer(request, signed_in)


@router.post("/second-factor/options")
@public
async def second_factor_options(services: PeopleOfProcess, body: ChallengeIn) -> PasskeyOptions:
    """Read what a passkey is to sign for a log-in that waits.

    The `options` are those of `navigator.credentials.get`.
    """
    options = await people.sign_in.passkey_options(services, body.challenge)
    return PasskeyOptions(options=options)


@router.post("/refresh-token", response_model=SignedInOut)
@public
async def refresh_token(
    services: PeopleOfProcess, origin: OriginOfRequest, request: Request, body: RefreshIn
) -> Response:
    """Change a refresh token for another one and an access token; it is spent by that."""
    token = body.refresh_token or cookies.presented(request)
    signed_in = await people.sign_in.refresh(services, origin, token)
    return _answer(request, signed_in, is_by_cookie=not body.refresh_token)


@router.post("/logout", response_model=Message)
@public
async def logout(services: PeopleOfProcess, request: Request, body: RefreshIn) -> Response:
    """Sign out on the device that a refresh token is of."""
    await people.sign_in.logout(services, body.refresh_token or cookies.presented(request))
    response = Answer(Message(message="signed out"))
    if cookies.is_browser(request) or not body.refresh_token:
        cookies.give(request, response, "")
    return response


@router.post("/forgot-password")
@public
async def forgot_password(
    services: PeopleOfProcess, origin: OriginOfRequest, body: EmailIn
) -> Message:
    """Have a code mailed to choose another password by. The answer is always the same."""
    await people.accounts.forgot_password(services, origin, body.email)
    return MAILED


@router.post("/verify-reset-code")
@public
async def verify_reset_code(services: PeopleOfProcess, body: VerifyIn) -> ResetTokenOut:
    """Change a mailed code for a token, which sets another password once, within ten minutes."""
    token = await people.accounts.verify_reset_code(services, body.email, body.code)
    return ResetTokenOut(message="choose another password", reset_token=token)


@router.post("/reset-password")
@public
async def reset_password(services: PeopleOfProcess, body: ResetIn) -> Message:
    """Set another password. All devices are signed out; a second factor stays."""
    await people.accounts.reset_password(services, body.reset_token, body.new_password)
    return Message(message="the password was changed, please sign in")


@of_persons.post("/reauthenticate")
@raw(Permission.ACCOUNT_WRITE, changes=OF_NO_ORGANIZATION)
async def reauthenticate(
    services: PeopleOfProcess,
    origin: OriginOfRequest,
    claims: ClaimsOfRequest,
    body: ReauthenticateIn,
) -> Message:
    """Show again who you are, for what asks for it (403 `reauthentication_required`)."""
    await people.sign_in.reauthenticate(
        services, origin, claims, password=body.password, shown=body.shown()
    )
    return Message(message="you may go on")


@of_persons.post("/reauthenticate/options")
@atomic(Permission.ACCOUNT_WRITE, changes=OF_NO_ORGANIZATION)
async def reauthentication_options(
    tx: Tx, services: PeopleOfProcess, claims: ClaimsOfRequest
) -> PasskeyOptions:
    """Read what a passkey is to sign to show again who you are, within five minutes.

    The `options` are those of `navigator.credentials.get`.
    """
    options = await people.second_factor.passkeys.options_to_reauthenticate(
        tx, services.site, claims
    )
    return PasskeyOptions(options=options)
