"""Programs that start for the first time do not stand in each other's way."""

import asyncio

import asyncpg

from monigo.infra.db import APP_ROLE, migrate
from monigo.infra.db.postgres import start_embedded

DATABASES = ["first", "second", "third", "fourth"]


async def migrate_all_at_once(data_dir):
    """Migrate databases of a server that has no role yet; which role each one's program gets."""
    embedded = await start_embedded(data_dir)
    try:
        owner = await asyncpg.connect(embedded.url)
        for name in DATABASES:
            await owner.execute(f"CREATE DATABASE {name}")
        await owner.close()
        server_url = embedded.url.rpartition("/")[0]
        urls = await asyncio.gather(*(migrate(f"{server_url}/{name}", None) for name in DATABASES))
        return [await role_of(url) for url in urls]
    finally:
        await embedded.stop()


async def role_of(url):
    connection = await asyncpg.connect(url)
    name = await connection.fetchval("SELECT current_user")
    await connection.close()
    return name


def test_databases_of_one_server_are_migrated_at_once(tmp_path):
    roles = asyncio.run(migrate_all_at_once(tmp_path / "data"))

    assert roles == [APP_ROLE] * len(DATABASES)
