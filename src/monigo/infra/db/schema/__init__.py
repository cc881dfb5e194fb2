"""The schema: how a database is brought to it, and as which role the application uses it."""

from monigo.infra.db.schema.migrations import check_schema, migrate, require_present_schema
from monigo.infra.db.schema.roles import APP_ROLE, app_url
from monigo.infra.db.schema.sql_files import MigrationError

__all__ = [
    "APP_ROLE",
    "MigrationError",
    "app_url",
    "check_schema",
    "migrate",
    "require_present_schema",
]
