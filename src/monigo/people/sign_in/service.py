"""Use cases of signing in: by password, by a second factor, by a refresh token; and out again.

A log-in takes two transactions and a hash between them, for known and unknown e-mails. The first
records the attempt, so that concurrent ones are all counted; the second runs only where the
password is right. The attempt is recorded when it is the log-in's turn: a log-in that is refused as
too many has not failed.
"""

from typing import Any
from uuid import UUID

from msgspec import Struct

from monigo.core.access import spelled
from monigo.core.errors import DomainError, ErrorKind, invalid
from monigo.infra.db import Transaction
from monigo.people import accounts, attempts, organizations, second_factor, sessions
from monigo.people.accounts import Change, Credentials
from monigo.people.second_factor import Challenge
from monigo.people.service import People
from monigo.people.sessions import Claims, Session, SignedIn, device_of
from monigo.people.sign_in.types import Challenged, Shown
from monigo.people.types import MembershipOf, Origin, User


async def login(people: People, origin: Origin, email: str, password: str) -> SignedIn | Challenged:
    """Sign a person in by password, or ask for the second factor.

    Raises:
        DomainError: unauthenticated, in the same words and time whether the e-mail is somebody's;
            forbidden, where it is not verified; rate_limited.
    """
    email = spelled(email)
    async with people.passwords.turn() as turn:
        async with people.transaction() as tx:
            attempt_id = await attempts.begin(tx, people.vault, email, origin)
            known = await accounts.find(tx, email)
            waiting = await accounts.latest_registration(people, tx, origin, email)
        kept = known or waiting
        is_right = await turn.is_same(password, kept and kept.password_hash)
    if not is_right:
        raise wrong_credentials()
    if known is None:
        raise DomainError(
            ErrorKind.FORBIDDEN, "email_not_verified", "the e-mail is not verified yet"
        )
    async with people.transaction() as tx:
        still = await accounts.lock(tx, known.user.id)
        if still is None or still.password_hash != known.password_hash:
            raise wrong_credentials()
        if (await second_factor.state_of(tx, still.user.id)).is_on:
            return Challenged(
                await second_factor.begin_challenge(
                    tx, people.vault, user_id=still.user.id, attempt_id=attempt_id
                )
            )
        await attempts.succeed(tx, attempt_id)
        entered = await _enter(people, tx, still.user, origin)
    return await _signed_in(people, entered)


async def passkey_options(people: People, challenge: str) -> dict[str, Any]:
    """What a browser needs to have a passkey sign for a log-in that waits.

    Raises:
        DomainError: unauthenticated (challenge).
    """
    async with people.transaction() as tx:
        waiting = await second_factor.lock_challenge(tx, people.vault, challenge)
        if waiting is None:
            raise wrong_second_factor()
        known = await second_factor.passkeys.list_of(tx, waiting.user_id)
    return second_factor.options_to_sign(people.site, waiting.passkey_challenge, known)


async def login_by_second_factor(
    people: People, origin: Origin, challenge: str, shown: Shown
) -> SignedIn:
    """Sign a person in whose password was right, by the second factor.

    Raises:
        DomainError: unauthenticated (challenge, code, passkey); invalid (neither of these).
    """
    if shown.code is None and shown.passkey is None:
        raise invalid({"code": "is required, or a passkey"})
    entered = None
    async with people.transaction() as tx:
        waiting = await second_factor.lock_challenge(tx, people.vault, challenge)
        owner = None if waiting is None else await accounts.lock(tx, waiting.user_id)
        if waiting is not None and owner is not None:
            if await _is_shown(people, tx, waiting, shown):
                await second_factor.pass_challenge(tx, waiting)
                await attempts.succeed(tx, waiting.id)
                entered = await _enter(people, tx, owner.user, origin, by_second_factor=True)
            else:
                await second_factor.miss_challenge(tx, waiting)
    if entered is None:
        raise wrong_second_factor()
    return await _signed_in(people, entered)


async def verify_email(people: People, origin: Origin, email: str, code: str) -> SignedIn:
    """Sign a person in who shows by a code that an e-mail is theirs.

    Raises:
        DomainError: invalid, where the code is wrong; conflict, where another was quicker.
    """
    async with people.transaction() as tx:
        user = await accounts.verify_email(people, tx, origin, email, code)
        entered = None if user is None else await _enter(people, tx, user, origin)
    if entered is None:
        raise accounts.invalid_code()
    return await _signed_in(people, entered)


async def refresh(people: People, origin: Origin, presented: str) -> SignedIn:
    """Other tokens for a refresh token, which is spent by it.

    Raises:
        DomainError: unauthenticated, where it is wrong, or spent a while ago: that ends the
            session, for somebody has a copy.
    """
    async with people.transaction() as tx:
        refreshed = await sessions.refresh(tx, people.vault, presented, origin)
        entered = None if refreshed is None else await _entered(tx, *refreshed)
    if entered is None:
        raise sessions.invalid_refresh_token()
    return await _signed_in(people, entered)


async def logout(people: People, presented: str) -> None:
    """End the session of a refresh token; what is none is nothing to end."""
    async with people.transaction() as tx:
        await sessions.end_by_token(tx, people.vault, presented)


async def reauthenticate(
    people: People, origin: Origin, claims: Claims, *, password: str | None, shown: Shown
) -> None:
    """Note that a person who is signed in has shown again who they are.

    Raises:
        DomainError: unauthenticated; invalid (neither password nor second factor); rate_limited.
    """
    if password is None and shown.code is None and shown.passkey is None:
        raise invalid({"password": "is required, or a code, or a passkey"})
    if password is None:
        await _reauthenticate_by_second_factor(people, origin, claims, shown)
    else:
        await _reauthenticate_by_password(people, origin, claims, password)


async def _reauthenticate_by_password(
    people: People, origin: Origin, claims: Claims, password: str
) -> None:
    async with people.passwords.turn() as turn:
        async with people.transaction() as tx:
            attempt_id, owner = await _begin(people, tx, origin, claims)
        if not await turn.is_same(password, owner.password_hash):
            raise wrong_credentials()
    async with people.transaction() as tx:
        still = await accounts.lock(tx, claims.user_id)
        if still is None or still.password_hash != owner.password_hash:
            raise wrong_credentials()
        await attempts.succeed(tx, attempt_id)
        await sessions.authenticate(tx, claims.session_id, by_second_factor=False)


async def _reauthenticate_by_second_factor(
    people: People, origin: Origin, claims: Claims, shown: Shown
) -> None:
    async with people.transaction() as tx:
        attempt_id, _ = await _begin(people, tx, origin, claims)
        is_right = (
            shown.code is not None
            and await second_factor.check(tx, people.vault, claims.user_id, shown.code)
        ) or (
            shown.passkey is not None
            and await second_factor.passkeys.check_reauthentication(
                tx, people.site, claims, shown.passkey
            )
        )
        if is_right:
            await attempts.succeed(tx, attempt_id)
            await sessions.authenticate(tx, claims.session_id, by_second_factor=True)
    if not is_right:
        raise wrong_credentials()


async def switch_second_factor_off(
    people: People, origin: Origin, claims: Claims, code: str
) -> None:
    """Ask for no second factor any more.

    Raises:
        DomainError: invalid (code); unauthenticated; rate_limited.
    """
    await _show_second_factor(people, origin, claims, code)
    async with people.transaction() as tx:
        await second_factor.switch_off(tx, claims.user_id)
        await accounts.mail_second_factor_change(people, tx, claims.user_id, Change.OFF)


async def renew_recovery_codes(
    people: People, origin: Origin, claims: Claims, code: str
) -> list[str]:
    """Replace all recovery codes; returns the new ones, which are shown once.

    Raises:
        DomainError: invalid (code); unauthenticated; rate_limited.
    """
    await _show_second_factor(people, origin, claims, code)
    async with people.transaction() as tx:
        return await second_factor.renew_recovery_codes(tx, people.vault, claims.user_id)


def wrong_credentials() -> DomainError:
    """The one answer to a wrong password and to an e-mail that nobody has."""
    return DomainError(
        ErrorKind.UNAUTHENTICATED, "wrong_credentials", "the e-mail or the password is wrong"
    )


def wrong_second_factor() -> DomainError:
    """The one answer to a second factor that is wrong, or too late, or of no log-in that waits."""
    return DomainError(
        ErrorKind.UNAUTHENTICATED, "wrong_second_factor", "the code is wrong, or took too long"
    )


async def _is_shown(people: People, tx: Transaction, waiting: Challenge, shown: Shown) -> bool:
    if shown.code is not None:
        return await second_factor.check(tx, people.vault, waiting.user_id, shown.code)
    return shown.passkey is not None and await second_factor.passkeys.check(
        tx, people.site, waiting.user_id, waiting.passkey_challenge, shown.passkey
    )


async def _show_second_factor(people: People, origin: Origin, claims: Claims, code: str) -> None:
    """Check a code as a try to sign in is, so that none is guessed in an open session either."""
    async with people.transaction() as tx:
        attempt_id, _ = await _begin(people, tx, origin, claims)
        is_right = await second_factor.check(tx, people.vault, claims.user_id, code)
        if is_right:
            await attempts.succeed(tx, attempt_id)
    if not is_right:
        raise invalid({"code": "is wrong"})


async def _begin(
    people: People, tx: Transaction, origin: Origin, claims: Claims
) -> tuple[UUID, Credentials]:
    """Note a try of a person who is signed in."""
    await organizations.require_session(tx, claims)
    owner = await accounts.lock(tx, claims.user_id)
    if owner is None:
        raise organizations.unauthenticated()
    return await attempts.begin(tx, people.vault, owner.user.email, origin), owner


class _Entered(Struct, frozen=True):
    """A person's new session and its refresh token; the access token is signed afterwards."""

    user: User
    session: Session
    refresh_token: str
    organizations: tuple[MembershipOf, ...]


async def _enter(
    people: People, tx: Transaction, user: User, origin: Origin, *, by_second_factor: bool = False
) -> _Entered:
    """Begin a session; mail the person if the device is new."""
    if await sessions.is_new_device(tx, user.id, origin):
        await people.write_mail(
            tx,
            "new_device",
            user.email,
            full_name=user.full_name,
            device=device_of(origin.user_agent),
            address=origin.address,
            at=f"{tx.real_now:%Y-%m-%d %H:%M} UTC",
        )
    session = await sessions.begin(tx, user.id, origin, by_second_factor=by_second_factor)
    return await _entered(tx, session, sessions.present_token(people.vault, session))


async def _entered(tx: Transaction, session: Session, refresh_token: str) -> _Entered:
    user = await accounts.get_user(tx, session.user_id)
    found = await organizations.of_person(tx, user.id)
    return _Entered(user, session, refresh_token, tuple(found))


async def _signed_in(people: People, entered: _Entered) -> SignedIn:
    """The tokens; signed in no transaction, for the keys may have to be looked up."""
    claims = Claims(entered.user.id, entered.session.id)
    access_token = await people.tokens.sign(claims, people.database.real_now())
    return SignedIn(access_token, entered.refresh_token, entered.user, entered.organizations)
