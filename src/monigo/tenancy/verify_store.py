"""The SQL that compares look-up tables with what they are made from."""

from collections import Counter

from msgspec import ValidationError, json

from monigo.core.ids import OrganizationId
from monigo.core.verification import DIFFERENCES_MAX, Difference
from monigo.infra.db import INSTALLATION, Database, Transaction
from monigo.tenancy.settings import GROUPS

SELECT_ANY_TRACE = "SELECT org_id FROM organization_ids_of_any_trace() AS org_id"

COUNT_KEYS = """
    SELECT count(*) FROM api_keys WHERE org_id = $1 AND is_test_mode = $2
"""

# A key and the look-up by which it is found; one without the other is at fault.
COMPARE_KEYS = """
    SELECT key.id AS key_id, lookup.api_key_id AS found_id
    FROM (
        SELECT id FROM api_keys WHERE org_id = $1 AND is_test_mode = $2
    ) AS key
    FULL JOIN (
        SELECT api_key_id FROM api_key_lookups WHERE org_id = $1 AND is_test = $2
    ) AS lookup ON lookup.api_key_id = key.id
    WHERE key.id IS NULL OR lookup.api_key_id IS NULL
    ORDER BY 1, 2
    LIMIT $3
"""

# Settings have no mode: they are looked at with the test mode.
COMPARE_ORGANIZATION = """
    SELECT
        EXISTS (SELECT 1 FROM organizations WHERE org_id = $1) AS exists,
        EXISTS (SELECT 1 FROM tenant_lookups WHERE org_id = $1) AS is_found
"""

SELECT_SETTINGS = """
    SELECT billing, retention, limits, access, collection, payouts, mails
    FROM organizations WHERE org_id = $1
"""


async def organization_ids(database: Database) -> list[OrganizationId]:
    """Every organisation that any row of a look-up table names, besides those that there are."""
    async with database.lookups() as connection:
        rows = await connection.fetch(SELECT_ANY_TRACE)
    found = [OrganizationId(row["org_id"]) for row in rows]
    return [org_id for org_id in found if org_id != INSTALLATION.org_id]


async def count(tx: Transaction) -> Counter[str]:
    """How much there is to look at."""
    return Counter({"API keys": await tx.fetchval(COUNT_KEYS)})


async def compare(tx: Transaction) -> list[Difference]:
    """Keys without look-up and look-ups without key; the same of organisations."""
    rows = await tx.fetch(COMPARE_KEYS, DIFFERENCES_MAX)
    found = [
        _difference("look-up of an API key", row["key_id"] or row["found_id"], *pair)
        for row in rows
        if (pair := (row["found_id"] is not None, row["key_id"] is not None))
    ]
    if not tx.is_test:
        return found
    row = await tx.connection.fetchrow(COMPARE_ORGANIZATION, tx.org_id)
    if row is not None and row["is_found"] != row["exists"]:
        found.append(
            _difference("look-up of an organization", tx.org_id, row["is_found"], row["exists"])
        )
    return found


async def compare_settings(tx: Transaction) -> list[Difference]:
    """Groups of settings that are none."""
    if not tx.is_test:
        return []
    row = await tx.connection.fetchrow(SELECT_SETTINGS, tx.org_id)
    if row is None:
        return []
    found: list[Difference] = []
    for group, struct in GROUPS.items():
        try:
            json.decode(row[group], type=struct)
        except ValidationError as error:
            found.append(Difference("settings of an organization", group, row[group], str(error)))
    return found


def _difference(what: str, subject: object, is_stored: bool, is_computed: bool) -> Difference:  # noqa: FBT001 - distinguished by their names
    return Difference(
        what, str(subject), "present" if is_stored else None, "present" if is_computed else None
    )
