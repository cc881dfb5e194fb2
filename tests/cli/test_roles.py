"""API and worker hold no right of the owner's: they are given the application's URL alone."""

import asyncio
import os

import pytest

from monigo.infra.db import MigrationError, app_url, migrate, require_present_schema
from support.databases import execute, fresh_database
from support.process import COMMAND_SECONDS_MAX, command

PASSWORD = os.environ.get("MONIGO_APP_PASSWORD")


@pytest.fixture(scope="module")
def migrated(owner_url):
    """The URLs of a database of the present schema: its owner's, and the application's."""
    with fresh_database(owner_url) as url:
        yield url, asyncio.run(migrate(url, PASSWORD))


def refusal(url):
    with pytest.raises(MigrationError) as refused:
        asyncio.run(require_present_schema(url))
    return str(refused.value)


@pytest.mark.parametrize("role", ["api", "worker"])
def test_without_the_applications_url_they_do_not_start(tmp_path, role, migrated):
    started = command(tmp_path, role, database_url=migrated[0])

    _, said = started.communicate(timeout=COMMAND_SECONDS_MAX)

    assert started.returncode == 1
    assert "set MONIGO_APP_DATABASE_URL" in said


def test_migrate_shows_the_applications_url(tmp_path, migrated):
    owner, application = migrated
    settings = {"app_password": PASSWORD} if PASSWORD else {}
    started = command(tmp_path, "migrate", "--show-app-url", database_url=owner, **settings)

    said, _ = started.communicate(timeout=COMMAND_SECONDS_MAX)

    assert said.splitlines() == [application]


def test_the_present_schema_is_taken(migrated):
    asyncio.run(require_present_schema(migrated[1]))


def test_the_owner_is_no_application(migrated):
    assert "bypass row-level security" in refusal(migrated[0])


def test_an_older_schema_is_refused_and_left_alone(owner_url):
    with fresh_database(owner_url) as url:
        asyncio.run(migrate(url, PASSWORD))
        asyncio.run(
            execute(
                url,
                "DELETE FROM schema_migrations"
                " WHERE version = (SELECT max(version) FROM schema_migrations)",
            )
        )

        assert "run `monigo migrate`" in refusal(app_url(url, PASSWORD))


@pytest.mark.usefixtures("migrated")  # The role is there, as on a server with another database.
def test_a_database_without_schema_is_refused(owner_url):
    with fresh_database(owner_url) as url:
        assert "run `monigo migrate`" in refusal(app_url(url, PASSWORD))


def test_a_newer_schema_is_refused(owner_url):
    with fresh_database(owner_url) as url:
        asyncio.run(migrate(url, PASSWORD))
        asyncio.run(
            execute(url, "INSERT INTO schema_migrations (version, checksum) VALUES (9999, '')")
        )

        assert "newer than this program: it has migration [9999]" in refusal(app_url(url, PASSWORD))
