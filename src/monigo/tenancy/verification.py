"""Verification: the look-up tables of tenants are compared with the tables they are made of."""

from monigo.core.ids import OrganizationId
from monigo.core.verification import Verification
from monigo.infra.db import Database, Transaction
from monigo.tenancy import verify_store


async def organizations_to_verify(database: Database) -> list[OrganizationId]:
    """All organisations, also those that only a row of a look-up or queue table knows."""
    return await verify_store.organization_ids(database)


async def verify(tx: Transaction) -> Verification:
    """Compare the look-ups of keys and organisation with their rows, in one snapshot.

    Settings are read as their groups.
    """
    found = [*await verify_store.compare(tx), *await verify_store.compare_settings(tx)]
    return Verification(await verify_store.count(tx), found)
