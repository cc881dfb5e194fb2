"""Commands about people: the operator makes accounts and sets passwords.

A password is made unless one is read from standard input; it is shown once, on standard output,
and in no log.
"""

import json
import secrets
import sys
from typing import Annotated, Any

import typer

from monigo import people
from monigo.bootstrap import Services
from monigo.cli.console import JsonFlag, fail, say, with_services
from monigo.core.errors import DomainError, ErrorKind
from monigo.core.paging import PAGE_LIMIT_MAX
from monigo.core.times import format_instant
from monigo.people import NewAccount, User

user_app = typer.Typer(help="People with an account.", no_args_is_help=True)
admin_app = typer.Typer(help="People who run the platform.", no_args_is_help=True)

# 144 bits, in 24 characters.
PASSWORD_BYTES = 18

EmailArgument = Annotated[str, typer.Argument(metavar="EMAIL", help="The person's e-mail.")]
NameOption = Annotated[str | None, typer.Option("--name", help="Full name; default: the e-mail.")]
StdinFlag = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password's line from standard input.")
]


@user_app.command("create")
def create_user(
    email: EmailArgument,
    *,
    name: NameOption = None,
    password_stdin: StdinFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Make an account whose e-mail counts as verified. Its password is shown once."""
    password = _password(is_read=password_stdin)
    user = with_services(lambda services: _add(services, email, name, password))
    _print_user(user, None if password_stdin else password, as_json=as_json)


@user_app.command("reset-password")
def reset_password(
    email: EmailArgument, *, password_stdin: StdinFlag = False, as_json: JsonFlag = False
) -> None:
    """Give a person another password: all their sessions end, and they get a mail."""
    password = _password(is_read=password_stdin)
    user = with_services(
        lambda services: people.accounts.set_password(services.people, email, password)
    )
    _print_user(user, None if password_stdin else password, as_json=as_json)


@user_app.command("list")
def list_users(*, as_json: JsonFlag = False) -> None:
    """List the people with an account, the oldest first; 10,000 at most."""
    found = with_services(
        lambda services: people.accounts.list_users(services.people, PAGE_LIMIT_MAX)
    )
    shown = [{**_shown(user), "is_platform_admin": is_admin} for user, is_admin in found]
    if as_json:
        say(json.dumps(shown))
        return
    for one in shown:
        word = "  platform admin" if one["is_platform_admin"] else ""
        say(f"{one['id']}  {one['email']}  {one['full_name']}{word}")


@admin_app.command("create")
def create_admin(
    email: EmailArgument,
    *,
    name: NameOption = None,
    password_stdin: StdinFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Have a person run the platform; an account is made for who has none yet."""
    password = _password(is_read=password_stdin)
    user, is_new = with_services(lambda services: _make_admin(services, email, name, password))
    _print_user(user, password if is_new and not password_stdin else None, as_json=as_json)


async def _add(services: Services, email: str, name: str | None, password: str) -> User:
    wanted = NewAccount(email, email.strip() if name is None else name, password)
    return await people.accounts.add_user(services.people, wanted)


async def _make_admin(
    services: Services, email: str, name: str | None, password: str
) -> tuple[User, bool]:
    """The platform admin, and whether the account is a new one."""
    is_new = False
    try:
        await _add(services, email, name, password)
        is_new = True
    except DomainError as error:
        if error.kind is not ErrorKind.CONFLICT:
            raise
    return await people.accounts.make_platform_admin(services.people, email), is_new


def _password(*, is_read: bool) -> str:
    """A new password, or the line that standard input begins with."""
    if not is_read:
        return secrets.token_urlsafe(PASSWORD_BYTES)
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        fail("--password-stdin finds no password on standard input")
    return password


def _print_user(user: User, password: str | None, *, as_json: bool) -> None:
    shown = {**_shown(user), **({} if password is None else {"password": password})}
    if as_json:
        say(json.dumps(shown))
        return
    for label, value in shown.items():
        say(f"{label}: {value}")


def _shown(user: User) -> dict[str, Any]:
    return {
        "id": str(user.id),
        "email": user.email,
        "full_name": user.full_name,
        "created_at": format_instant(user.created_at),
    }
