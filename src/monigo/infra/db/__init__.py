"""The database: connections, transactions bound to a tenant, and bringing it to our schema."""

from monigo.infra.db.connections import Connection, OwnConnection, is_in_transaction
from monigo.infra.db.database import (
    PROCESS,
    ROWS_AT_ONCE,
    ClockState,
    Database,
    RowLock,
    Transaction,
    reset_lock,
)
from monigo.infra.db.errors import (
    as_unavailable,
    violated_constraint,
    violation_in,
    violations_as,
)
from monigo.infra.db.postgres import EmbeddedPostgresError, start_embedded
from monigo.infra.db.schema import (
    APP_ROLE,
    MigrationError,
    app_url,
    check_schema,
    migrate,
    require_present_schema,
)
from monigo.infra.db.statements import (
    Answer,
    Argument,
    Statement,
    joined,
    read_boolean,
    read_instant,
    read_numeric,
    read_uuid,
)
from monigo.infra.db.tenants import INSTALLATION, Change, Tenant

__all__ = [
    "APP_ROLE",
    "INSTALLATION",
    "PROCESS",
    "ROWS_AT_ONCE",
    "Answer",
    "Argument",
    "Change",
    "ClockState",
    "Connection",
    "Database",
    "EmbeddedPostgresError",
    "MigrationError",
    "OwnConnection",
    "RowLock",
    "Statement",
    "Tenant",
    "Transaction",
    "app_url",
    "as_unavailable",
    "check_schema",
    "is_in_transaction",
    "joined",
    "migrate",
    "read_boolean",
    "read_instant",
    "read_numeric",
    "read_uuid",
    "require_present_schema",
    "reset_lock",
    "start_embedded",
    "violated_constraint",
    "violation_in",
    "violations_as",
]
