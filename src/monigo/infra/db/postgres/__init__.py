"""The embedded PostgreSQL 18: installed by a wheel, started and stopped by us.

In the data directory: `postgres/` is the cluster, `postgres.password` the owner's password,
`postgres.port` the port it prefers, `postgres.log` (and `.log.1`) the server's log, and
`postgres.owner.lock` is held by the process that stops the server at its end.
"""

from monigo.infra.db.postgres.data_directory import EmbeddedPostgresError
from monigo.infra.db.postgres.launcher import EmbeddedPostgres, start_embedded

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "start_embedded"]
