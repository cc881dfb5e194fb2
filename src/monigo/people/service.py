"""What a process needs to serve people, and the transactions in which it does."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct

from monigo.infra.crypto import Passwords, Vault
from monigo.infra.db import INSTALLATION, Database, Transaction
from monigo.infra.mail import Mailer, Templates
from monigo.people import store
from monigo.people.second_factor import Site, site_of
from monigo.people.sessions import AccessTokens

TEMPLATES = Templates(Path(__file__).parent / "templates")


class People(Struct, frozen=True):
    """What a process works with where people sign in, join and leave.

    `public_url` is where they reach it, without a slash at the end.
    """

    database: Database
    vault: Vault
    passwords: Passwords
    mailer: Mailer
    tokens: AccessTokens
    public_url: str

    @property
    def site(self) -> Site:
        """By what passkeys know this installation."""
        return site_of(self.public_url)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        """A transaction of no organisation that sees people."""
        async with self.database.transaction(INSTALLATION) as tx:
            await store.see_people(tx)
            yield tx

    async def write_mail(
        self, tx: Transaction, template: str, recipient: str, **values: object
    ) -> None:
        """Have a mail sent, made of one of our templates, if the transaction commits."""
        known = {"public_url": self.public_url, **values}
        await self.mailer.write(tx, TEMPLATES.mail(template, recipient, known))
