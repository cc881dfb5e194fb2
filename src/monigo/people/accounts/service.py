"""Use cases of accounts: register, verify an e-mail, forget and reset a password, be renamed.

Use cases that must not reveal whether an e-mail has an account do the same work either way: the
same statements, hashes and mails. `tests/people/test_enumeration.py` counts them.
"""

from datetime import datetime

from msgspec import Struct

from monigo.core.access import email_fault, spelled
from monigo.core.errors import DomainError, ErrorKind, invalid, not_found
from monigo.core.ids import UserId
from monigo.infra.db import Transaction
from monigo.infra.ids import new_id
from monigo.people import attempts, codes, second_factor, sessions
from monigo.people import store as people_store
from monigo.people.accounts import store
from monigo.people.accounts.rules import (
    full_name_fault,
    new_account_faults,
    password_fault,
)
from monigo.people.accounts.types import Change, Credentials, Registration
from monigo.people.codes import Issued, Purpose
from monigo.people.service import People
from monigo.people.types import Origin, User

RETRY_AFTER_SECONDS = 3600


class NewAccount(Struct, frozen=True):
    """The details of a registration."""

    email: str
    full_name: str
    password: str


async def register(people: People, origin: Origin, wanted: NewAccount) -> Registration:
    """Keep what somebody wants to register with, and mail a code that shows whose e-mail it is.

    Raises:
        DomainError: invalid; conflict, where a person has shown the e-mail to be theirs;
            rate_limited, where too many codes were mailed.
    """
    email, full_name = spelled(wanted.email), wanted.full_name.strip()
    faults = new_account_faults(email, full_name, wanted.password)
    if faults:
        raise invalid(faults)
    address_hash = attempts.address_hash(people.vault, origin)
    async with people.passwords.turn() as turn:
        async with people.transaction() as tx:
            await _refuse_free_of_charge(tx, email, address_hash)
        hashed = await turn.hash(wanted.password)
    registration = Registration(new_id(), email, full_name, hashed, address_hash)
    async with people.transaction() as tx:
        if await store.find(tx, email) is not None:
            raise store.email_taken()
        await store.insert_registration(tx, registration)
        issued = await codes.issue(
            tx,
            people.vault,
            email,
            Purpose.VERIFY_EMAIL,
            address_hash=address_hash,
            registration_id=registration.id,
        )
        if issued is None:
            raise too_many_codes()
        await _write_code(people, tx, "verify_email", email, issued)
    return registration


async def resend_verification(people: People, origin: Origin, email: str) -> None:
    """Mail another code for the latest registration; mail an account's owner that it exists."""
    email = _valid_email(email)
    async with people.transaction() as tx:
        known = await store.find(tx, email)
        waiting = await latest_registration(people, tx, origin, email)
        registration = waiting if known is None else None
        issued = await codes.issue(
            tx,
            people.vault,
            email,
            Purpose.VERIFY_EMAIL,
            address_hash=attempts.address_hash(people.vault, origin),
            registration_id=registration and registration.id,
        )
        if issued is not None:
            template = "verify_email" if registration else "nothing_to_verify"
            await _write_code(people, tx, template, email, issued)


async def latest_registration(
    people: People, tx: Transaction, origin: Origin, email: str
) -> Registration | None:
    """The last one who wanted to register an e-mail: from where it is asked, or from anywhere."""
    hashes = attempts.address_hashes(people.vault, origin)
    return await store.latest_registration(tx, email, hashes)


async def verify_email(
    people: People, tx: Transaction, origin: Origin, email: str, code: str
) -> User | None:
    """The person whom a right code makes of a registration; None where it is wrong.

    Nor is one made of somebody else's registration for who has registered, too: who owns the e-mail
    may be mailed a code of a stranger's, and shall not give the account a stranger's password.
    The transaction must commit either way: a wrong try counts.
    """
    email = spelled(email)
    used = await codes.use(tx, people.vault, email, Purpose.VERIFY_EMAIL, code.strip())
    if used is None or used.registration_id is None:
        return None
    registration = await store.registration(tx, used.registration_id)
    own = await latest_registration(people, tx, origin, email)
    hashes = attempts.address_hashes(people.vault, origin)
    if registration is None or (
        own is not None and own.address_hash in hashes and registration.address_hash not in hashes
    ):
        return None
    user = User(
        id=UserId(registration.id),
        email=email,
        full_name=registration.full_name,
        created_at=tx.real_now,
        updated_at=tx.real_now,
    )
    await store.insert(tx, Credentials(user, registration.password_hash))
    return user


async def forgot_password(people: People, origin: Origin, email: str) -> None:
    """Mail a code to reset the password by; mail an unknown address that it has no account."""
    email = _valid_email(email)
    async with people.transaction() as tx:
        known = await store.find(tx, email)
        issued = await codes.issue(
            tx,
            people.vault,
            email,
            Purpose.RESET_PASSWORD,
            address_hash=attempts.address_hash(people.vault, origin),
            user_id=None if known is None else known.user.id,
        )
        if issued is not None:
            template = "no_account" if known is None else "reset_password"
            await _write_code(people, tx, template, email, issued)


async def verify_reset_code(people: People, email: str, code: str) -> str:
    """A token to set another password with, once and for ten minutes.

    Raises:
        DomainError: invalid, where the code is wrong, or the e-mail is nobody's.
    """
    email = spelled(email)
    async with people.transaction() as tx:
        used = await codes.use(tx, people.vault, email, Purpose.RESET_PASSWORD, code.strip())
        if used is not None and used.user_id is not None:
            return await codes.exchange(tx, people.vault, used, Purpose.SET_PASSWORD)
    raise invalid_code()


async def reset_password(people: People, token: str, password: str) -> None:
    """Set another password, and sign out everywhere. A second factor is asked for as before.

    Raises:
        DomainError: invalid (token; password).
    """
    async with people.transaction() as tx:
        owner = await _owner_of_token(people, tx, token)
    fault = password_fault(password, email=owner.user.email)
    if fault is not None:
        raise invalid({"new_password": fault})
    hashed = await people.passwords.hash(password)
    async with people.transaction() as tx:
        owner = await _owner_of_token(people, tx, token)
        await replace_password(people, tx, owner.user, hashed)


async def replace_password(people: People, tx: Transaction, user: User, hashed: str) -> None:
    """Set another password, end sessions and log-ins of the old one, and mail its owner."""
    await store.set_password(tx, user.id, hashed)
    await codes.end_all(tx, user.email)
    await sessions.end_others(tx, user_id=user.id, but=None)
    await second_factor.end_challenges(tx, user.id)
    await people.write_mail(tx, "password_changed", user.email, full_name=user.full_name)


async def mail_second_factor_change(
    people: People, tx: Transaction, user_id: UserId, change: Change
) -> None:
    """Mail a person that their second factor was changed, in case it was not them."""
    await people_store.see_people(tx)
    user = _found(await store.load(tx, user_id))
    await people.write_mail(
        tx, "second_factor_changed", user.email, full_name=user.full_name, change=change.value
    )


async def get_user(tx: Transaction, user_id: UserId) -> User:
    """A person.

    Raises:
        DomainError: not_found.
    """
    await people_store.see_people(tx)
    return _found(await store.load(tx, user_id))


async def rename_user(tx: Transaction, user_id: UserId, full_name: str) -> User:
    """Give a person another name.

    Raises:
        DomainError: invalid; not_found.
    """
    name = full_name.strip()
    fault = full_name_fault(name)
    if fault is not None:
        raise invalid({"full_name": fault})
    await people_store.see_people(tx)
    return _found(await store.rename(tx, user_id, name))


async def forget_registrations(tx: Transaction, before: datetime, limit: int) -> int:
    """Forget some who wanted to register before an instant; how many."""
    return await store.delete_registrations_before(tx, before, limit)


def invalid_code() -> DomainError:
    """The one answer to a code that is wrong, has run out, or is of an e-mail that nobody has."""
    return DomainError(ErrorKind.INVALID, "invalid_code", "the code is wrong or has expired")


def too_many_codes() -> DomainError:
    """The refusal of more codes than an e-mail gets."""
    return DomainError(
        ErrorKind.RATE_LIMITED,
        "too_many_codes",
        "too many codes were mailed, please wait",
        retry_after_seconds=RETRY_AFTER_SECONDS,
    )


async def _refuse_free_of_charge(tx: Transaction, email: str, address_hash: bytes) -> None:
    """Refuse what would be refused anyway, before a password is hashed for it."""
    if await store.find(tx, email) is not None:
        raise store.email_taken()
    if await codes.are_too_many(tx, email, address_hash):
        raise too_many_codes()


async def _owner_of_token(people: People, tx: Transaction, token: str) -> Credentials:
    code = await codes.of_token(tx, people.vault, Purpose.SET_PASSWORD, token)
    owner = None if code is None or code.user_id is None else await store.lock(tx, code.user_id)
    if owner is None:
        raise invalid({"reset_token": "is wrong or has expired"})
    return owner


async def _write_code(
    people: People, tx: Transaction, template: str, email: str, issued: Issued
) -> None:
    await people.write_mail(
        tx, template, email, email=email, code=issued.secret, is_link=issued.is_link
    )


def _valid_email(email: str) -> str:
    known = spelled(email)
    fault = email_fault(known)
    if fault is not None:
        raise invalid({"email": fault})
    return known


def _found(user: User | None) -> User:
    if user is None:
        raise not_found("user")
    return user
