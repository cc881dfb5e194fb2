"""The little SQL on the job queue that is not PgQueuer's own."""

from datetime import timedelta

from monigo.infra.db import Connection

# Long enough to look into what happened last weekend.
LOG_KEPT_FOR = timedelta(days=7)

FORGET_LOG = "DELETE FROM pgqueuer_log WHERE created < now() - $1::interval"


async def forget_log(connection: Connection) -> None:
    """Delete what the queue wrote about jobs that ended long ago."""
    await connection.execute(FORGET_LOG, LOG_KEPT_FOR)
