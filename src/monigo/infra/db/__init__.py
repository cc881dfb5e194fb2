"""The database: connections, transactions bound to a tenant, and bringing it to our schema."""

from monigo.infra.db.connections import Connection, OwnConnection
from monigo.infra.db.database import (
    INSTALLATION,
    PROCESS,
    ROWS_AT_ONCE,
    Change,
    ClockState,
    Database,
    RowLock,
    Tenant,
    Transaction,
    as_unavailable,
    joined,
    reset_lock,
    violated_constraint,
    violations_as,
)
from monigo.infra.db.pipeline import Argument
from monigo.infra.db.postgres import EmbeddedPostgresError, start_embedded
from monigo.infra.db.schema import (
    APP_ROLE,
    MigrationError,
    app_url,
    check_schema,
    migrate,
    require_present_schema,
)

__all__ = [
    "APP_ROLE",
    "INSTALLATION",
    "PROCESS",
    "ROWS_AT_ONCE",
    "Argument",
    "Change",
    "ClockState",
    "Connection",
    "Database",
    "EmbeddedPostgresError",
    "MigrationError",
    "OwnConnection",
    "RowLock",
    "Tenant",
    "Transaction",
    "app_url",
    "as_unavailable",
    "check_schema",
    "joined",
    "migrate",
    "require_present_schema",
    "reset_lock",
    "start_embedded",
    "violated_constraint",
    "violations_as",
]
