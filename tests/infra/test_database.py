"""The application's connections set for themselves what a foreign server may set otherwise."""

import pytest


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
        async with backend.services.database.lookups() as connection:
            return await connection.fetchrow(
                "SELECT setting, source FROM pg_settings WHERE name = $1", name
            )

    told = backend.run(source())

    assert told["setting"] == value
    # The driver, too, turns compiling off for a while, and back to what it was.
    assert told["source"] in {"client", "session"}
