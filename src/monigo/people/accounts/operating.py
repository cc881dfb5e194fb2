"""What operators do with accounts, without a mailed code."""

from monigo.core.access import spelled
from monigo.core.errors import invalid, not_found
from monigo.core.ids import UserId
from monigo.infra.db import Transaction
from monigo.infra.ids import new_id
from monigo.people import store as people_store
from monigo.people.accounts import store
from monigo.people.accounts.rules import new_account_faults, password_fault
from monigo.people.accounts.service import NewAccount, replace_password
from monigo.people.accounts.types import Credentials
from monigo.people.service import People
from monigo.people.types import User


async def add_user(people: People, wanted: NewAccount) -> User:
    """Make an account whose e-mail counts as verified, in a transaction of its own.

    Raises:
        DomainError: as `prepared`; conflict, where somebody has the e-mail.
    """
    credentials = await prepared(people, wanted)
    async with people.transaction() as tx:
        return await insert_user(tx, credentials)


async def prepared(people: People, wanted: NewAccount) -> Credentials:
    """What is stored of a new account; hashed outside of transactions, for it takes a while.

    Raises:
        DomainError: invalid, naming every field at fault.
    """
    email, full_name = spelled(wanted.email), wanted.full_name.strip()
    faults = new_account_faults(email, full_name, wanted.password)
    if faults:
        raise invalid(faults)
    hashed = await people.passwords.hash(wanted.password)
    now = people.database.real_now()
    return Credentials(User(UserId(new_id()), email, full_name, now, now), hashed)


async def insert_user(tx: Transaction, credentials: Credentials) -> User:
    """Store a new account in a transaction.

    Raises:
        DomainError: conflict, where somebody has the e-mail.
    """
    await people_store.see_people(tx)
    await store.insert(tx, credentials)
    return credentials.user


async def set_password(people: People, email: str, password: str) -> User:
    """Give a person another password; all their sessions end, and they get a mail.

    Raises:
        DomainError: invalid (password); not_found.
    """
    address = spelled(email)
    fault = password_fault(password, email=address)
    if fault is not None:
        raise invalid({"password": fault})
    hashed = await people.passwords.hash(password)
    async with people.transaction() as tx:
        known = await store.find(tx, address)
        owner = None if known is None else await store.lock(tx, known.user.id)
        if owner is None:
            raise not_found("user")
        await replace_password(people, tx, owner.user, hashed)
        return owner.user


async def list_users(people: People, limit: int) -> list[tuple[User, bool]]:
    """Everybody with an account, the oldest first, and whether they are platform admins."""
    async with people.transaction() as tx:
        return await store.first_users(tx, limit)


async def make_platform_admin(people: People, email: str) -> User:
    """Have a person run the platform from now on; who does already goes on.

    Raises:
        DomainError: not_found.
    """
    async with people.transaction() as tx:
        known = await store.find(tx, spelled(email))
        if known is None:
            raise not_found("user")
        await store.insert_platform_admin(tx, known.user.id)
        return known.user
