"""A database of the schema before, brought over once to the one that `db/migrations` make.

Before, 25 migrations of other content had the same numbers. `db/bring_over` leads from their end to
the end of the migrations up to PRESENT; later ones are applied like everywhere.
"""

from monigo.infra.db.connections import OwnConnection
from monigo.infra.db.schema import sql_files
from monigo.infra.db.schema.sql_files import MigrationError
from monigo.infra.logging import logger

log = logger(__name__)

# The last migration whose work the steps do.
PRESENT = 11

FORGET_ALL = "DELETE FROM schema_migrations"
NOTE = "INSERT INTO schema_migrations (version, checksum) VALUES ($1, $2)"


def is_from_before(applied: dict[int, str]) -> bool:
    """Whether these are the migrations of the schema before, all of them and no more.

    Raises:
        MigrationError: they are some of them, or others came after them.
    """
    before = sql_files.checksums_before()
    if applied == before:
        return True
    if not applied or applied.get(1) != before[1]:
        return False
    newest = max(applied)
    if newest < len(before):
        raise MigrationError(
            f"the database has migration {newest} of the schema before: start the Monigo that has"
            f" its migration {len(before)} on it first, then this one"
        )
    raise MigrationError(
        f"the database has migration {newest} of the schema before, but only migration"
        f" {len(before)} can be brought over: restore a backup from then, or begin with an empty"
        " database"
    )


async def bring_over(connection: OwnConnection) -> None:
    """Do all the steps in one transaction, and record the present migrations."""
    async with sql_files.change(connection):
        for file in sql_files.bringing_over():
            await sql_files.run(connection, file)
        await connection.execute(FORGET_ALL)
        for file in sql_files.migrations()[:PRESENT]:
            await connection.execute(NOTE, file.version, file.checksum)
    log.info("database brought over")
