"""The schema's SQL files: where they are, what they are called, and the statements in them."""

import hashlib
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct

from monigo.infra.db.connections import OwnConnection

_PACKAGED = Path(__file__).parents[3] / "schema"
_CHECKED_OUT = Path(__file__).parents[5] / "db"
DIRECTORY = _PACKAGED if _PACKAGED.is_dir() else _CHECKED_OUT

# What a semicolon may stand in without ending a statement: comments, quotes, dollar quotes.
_TOKENS = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"[^\"]*\"|(\$\w*\$).*?\1|(?P<end>;)|.", re.DOTALL
)
_MIGRATION = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


# A change that must wait longer than this for a table gives up rather than block everyone.
_LIMITS = (
    "SET LOCAL lock_timeout = '10s'",
    "SET LOCAL statement_timeout = '15min'",
    # Whatever the owner's own is: names are those of our schema.
    "SET LOCAL search_path = public, pg_temp",
)


class MigrationError(Exception):
    """The database can't be migrated to the present schema; the message has the cause."""


class SchemaFile(Struct, frozen=True):
    """A file of SQL, by which part of the schema is made."""

    name: str
    text: str

    @property
    def checksum(self) -> str:
        """A file's hash, which shows whether it is still the file that was applied."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def version(self) -> int:
        """The number that a migration's name begins with."""
        match = _MIGRATION.fullmatch(self.name)
        if match is None:
            raise MigrationError(f"{self.name} is not named like 0001_what_it_makes.sql")
        return int(match[1])

    def statements(self) -> Iterator[str]:
        """The statements one by one: a cluster takes no two of them at once.

        Strings with backslash escapes and bodies in BEGIN ATOMIC are not understood.
        """
        start = 0
        for token in _TOKENS.finditer(self.text):
            if token["end"]:
                yield self.text[start : token.end()].strip()
                start = token.end()
        if rest := self.text[start:].strip():
            yield rest


def migrations() -> list[SchemaFile]:
    """What tables are made of, each applied once, in the order of their numbers."""
    return _files("migrations")


def functions() -> list[SchemaFile]:
    """Functions, triggers and views, replaced whenever their file has changed."""
    return _files("functions")


def bringing_over() -> list[SchemaFile]:
    """The steps from the last schema that was numbered in another way to the present one."""
    return _files("bring_over")


def checksums_before() -> dict[int, str]:
    """Versions and checksums of the migrations that made the schema which can be brought over."""
    lines = (DIRECTORY / "bring_over" / "before.sha256").read_text().splitlines()
    return {int(version): checksum for checksum, version in map(str.split, lines)}


def _files(kind: str) -> list[SchemaFile]:
    paths = sorted((DIRECTORY / kind).glob("*.sql"))
    if not paths:
        raise MigrationError(f"no SQL files in {DIRECTORY / kind}")
    return [SchemaFile(path.name, path.read_text()) for path in paths]


@asynccontextmanager
async def change(connection: OwnConnection) -> AsyncGenerator[None]:
    """A transaction that changes the schema, and gives up rather than hold up others for long."""
    async with connection.transaction():
        for limit in _LIMITS:
            await connection.execute(limit)
        yield


async def run(connection: OwnConnection, file: SchemaFile) -> None:
    """Send a file's statements, one by one."""
    for statement in file.statements():
        await connection.execute(statement)
