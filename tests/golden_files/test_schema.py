"""db/schema.sql is what the migrations and functions produce, to be read in one piece."""

import asyncio
import os
import re
import subprocess

import pytest

from monigo.infra.db import migrate
from monigo.infra.db.postgres.install import find_programs
from support.databases import database_from_before, fresh_database
from support.golden import assert_golden

HEADER = (
    "-- What migrations and functions produce, by pg_dump. Written by `make golden`, not by hand.\n"
)
# Versions, the session's settings, and the line that guards a restore: they say nothing of us.
NOISE = re.compile(r"--.*|SET .*|SELECT pg_catalog\.set_config.*|\\(un)?restrict .*")

needs_own_server = pytest.mark.skipif(
    "MONIGO_DATABASE_URL" in os.environ,
    reason="pg_dump of the embedded PostgreSQL 18 need not know an external server's version",
)


def dump(url):
    command = [
        find_programs(None) / "pg_dump",
        "--schema-only",
        "--no-owner",
        f"--dbname={url}",
    ]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def normalized(dumped):
    kept = "\n".join(line for line in dumped.splitlines() if not NOISE.fullmatch(line))
    return HEADER + re.sub(r"\n{3,}", "\n\n", f"\n{kept.strip()}\n")


@needs_own_server
def test_the_migrations_produce_exactly_the_schema_that_is_checked_in(owner_url):
    with fresh_database(owner_url) as url:
        asyncio.run(migrate(url, None))

        schema = normalized(dump(url))

    assert_golden("db/schema.sql", schema)


@needs_own_server
def test_a_database_of_the_schema_before_is_brought_to_the_same(owner_url):
    with fresh_database(owner_url) as fresh, database_from_before(owner_url) as url:
        asyncio.run(migrate(fresh, None))
        asyncio.run(migrate(url, None))

        assert normalized(dump(url)) == normalized(dump(fresh))


@needs_own_server
def test_migrating_again_changes_nothing(owner_url):
    with fresh_database(owner_url) as url:
        asyncio.run(migrate(url, None))
        first = dump(url)

        asyncio.run(migrate(url, None))

        assert normalized(dump(url)) == normalized(first)


def test_only_what_says_nothing_of_the_schema_is_left_out():
    dumped = (
        "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\n"
        "-- Dumped by pg_dump version 18.0\n\nSET statement_timeout = 0;\n"
        "CREATE TABLE public.a (\n    id uuid -- kept\n);\n\n\n\n\\unrestrict abc\n"
    )

    assert normalized(dumped) == f"{HEADER}\nCREATE TABLE public.a (\n    id uuid -- kept\n);\n"
