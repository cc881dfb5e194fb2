"""The little SQL on the job queue that is not PgQueuer's own."""

from datetime import timedelta

from msgspec import Struct

from monigo.infra.db import Connection

# Long enough to look into what happened last weekend.
LOG_KEPT_FOR = timedelta(days=7)

FORGET_LOG = "DELETE FROM pgqueuer_log WHERE created < now() - $1::interval"

COUNT_JOBS = """
    SELECT entrypoint AS lane, status::text AS status, count(*) AS jobs
    FROM pgqueuer GROUP BY entrypoint, status
"""


class LaneFigures(Struct, frozen=True):
    """How many jobs of a lane are in a status."""

    lane: str
    status: str
    jobs: int


async def count_jobs(connection: Connection) -> list[LaneFigures]:
    """How many jobs are in the queue, by lane and status."""
    return [LaneFigures(**row) for row in await connection.fetch(COUNT_JOBS)]


async def forget_log(connection: Connection) -> None:
    """Delete what the queue wrote about jobs that ended long ago."""
    await connection.execute(FORGET_LOG, LOG_KEPT_FOR)
