"""Databases for one test, beside the one that the test run shares."""

import asyncio
import gzip
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """The owner's URL of an empty database on a server, dropped at the end."""
    name = f"monigo_fresh_{secrets.token_hex(6)}"
    asyncio.run(execute(server_url, f"CREATE DATABASE {name}"))
    parts = urlsplit(server_url)
    try:
        yield urlunsplit((parts.scheme, parts.netloc, f"/{name}", parts.query, ""))
    finally:
        asyncio.run(execute(server_url, f"DROP DATABASE {name} WITH (FORCE)"))


async def execute(url: str, statement: str) -> None:
    """Run one statement on a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


# By pg_dump of the schema before, at its migration 25, as its demo and some use of the API left it.
BEFORE = Path(__file__).parents[1] / "infra" / "db" / "schema" / "before.sql.gz"
# For psql, and what only newer servers know.
_NOT_SQL = re.compile(r"^(?:\\.*|SET transaction_timeout.*)$", re.MULTILINE)
_ROLE = """
    DO $$ BEGIN CREATE ROLE monigo_app LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
"""


@contextmanager
def database_from_before(server_url: str) -> Iterator[str]:
    """The owner's URL of a database of the schema before, with data in it; dropped at the end."""
    dumped = _NOT_SQL.sub("", gzip.decompress(BEFORE.read_bytes()).decode())
    with fresh_database(server_url) as url:
        asyncio.run(execute(url, _ROLE + dumped))
        yield url
