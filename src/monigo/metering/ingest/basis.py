"""What ingestion knows of a tenant without asking, and how an insert finds out that it is outdated.

Keys that may ingest, customers by reference and the test clock are read in a transaction and
cached: the basis. The statement that stores events stores none if any part of the basis has
changed; then the basis is read again. So a revoked key ends at once, and no process works on stale
data, though most events are stored without a query beforehand.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime

from monigo import customers, tenancy
from monigo.core.ids import ApiKeyId, CustomerId
from monigo.infra.db import ClockState, Database, Tenant
from monigo.tenancy import ApiKey, Limits, LimitSettings

# About 30 MB of references; beyond it everything is forgotten and looked up again.
REFERENCES_MAX = 100_000


@dataclass(slots=True, eq=False)
class Basis:
    """What one transaction saw of a tenant.

    A reference keeps its meaning until a customer is deleted or takes another external_id, each of
    which raises `customers_version`. A reset of test data restarts that version and raises
    `resets`.
    """

    tenant: Tenant
    limits: LimitSettings
    test_now: datetime | None
    resets: int
    customers_version: int
    customers: dict[str, CustomerId] = field(default_factory=dict[str, CustomerId])
    keys: dict[ApiKeyId, ApiKey] = field(default_factory=dict[ApiKeyId, ApiKey])

    def is_same(self, other: "Basis") -> bool:
        """Whether references mean the same in both, and time is the same."""
        return (self.test_now, self.resets, self.customers_version) == (
            other.test_now,
            other.resets,
            other.customers_version,
        )


class KnownTenants:
    """The bases of all tenants of this process, as they were last read."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits
        self._known: dict[Tenant, Basis] = {}
        # How much of each basis is counted in `_size`.
        self._sizes: dict[Tenant, int] = {}
        self._size = 0

    def remembered(
        self, tenant: Tenant, key_ids: AbstractSet[ApiKeyId], references: AbstractSet[str]
    ) -> Basis | None:
        """What held when it was read, if all of this was found then; else it is to be read.

        Events may be stored on it, because the insert finds out whether it still holds, but
        nothing is refused from memory.
        """
        basis = self._known.get(tenant)
        limits = self._limits.known(tenant.org_id)
        if basis is None or limits is None:
            return None
        basis.limits = limits
        is_enough = references <= basis.customers.keys() and key_ids <= basis.keys.keys()
        return basis if is_enough else None

    async def read(
        self, tenant: Tenant, key_ids: AbstractSet[ApiKeyId], references: AbstractSet[str]
    ) -> Basis:
        """What holds now, with these keys and customers as far as they exist."""
        async with self._database.transaction(tenant) as tx:
            # First the version, so that it is never newer than what is read after it.
            version = await customers.changes_version(tx)
            test_now = None if tx.clock is ClockState.UNSET else tx.now
            basis = Basis(tenant, await self._limits.of(tx), test_now, tx.resets, version)
            known = self._known.get(tenant)
            if known is not None and known.is_same(basis):
                known.limits = basis.limits
                basis = known
            keys = await tenancy.get_keys(tx, key_ids)
            for key_id in key_ids - keys.keys():
                basis.keys.pop(key_id, None)
            basis.keys.update(keys)
            missing = references - basis.customers.keys()
            if missing:
                basis.customers.update(await customers.resolve(tx, missing))
        self._keep(basis)
        return basis

    def _keep(self, basis: Basis) -> None:
        size = 1 + len(basis.customers) + len(basis.keys)
        if self._size - self._sizes.get(basis.tenant, 0) + size > REFERENCES_MAX:
            self._known.clear()
            self._sizes.clear()
            self._size = 0
        self._known[basis.tenant] = basis
        self._size += size - self._sizes.get(basis.tenant, 0)
        self._sizes[basis.tenant] = size
