"""The application's connections set for themselves what a foreign server may set otherwise."""

import pytest

from monigo.infra.db import Database


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TimeZone", "UTC"),
        ("jit", "off"),
        ("statement_timeout", "30000"),
        ("lock_timeout", "10000"),
    ],
)
def test_a_connection_does_not_leave_to_the_server(backend, name, value):
    async def source():
        # A new one, because the driver turns compiling off for a while, too, and back.
        database = await Database.connect(
            backend.services.app_url, clock=backend.clock, pool_size=2
        )
        async with database.lookups() as connection:
            row = await connection.fetchrow(
                "SELECT setting, source FROM pg_settings WHERE name = $1", name
            )
        await database.close()
        return row

    told = backend.run(source())

    assert (told["setting"], told["source"]) == (value, "client")
