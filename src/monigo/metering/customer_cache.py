"""Remembers which customer a reference means, as long as that can't have changed."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from monigo import customers
from monigo.core.ids import CustomerId
from monigo.infra.db import Tenant, Transaction

# About 30 MB of references; beyond it everything is forgotten and looked up again.
REFERENCES_MAX = 100_000


@dataclass(slots=True)
class _Known:
    version: tuple[int, int]
    customers: dict[str, CustomerId] = field(default_factory=dict[str, CustomerId])


class CustomerCache:
    """References of all tenants of this process.

    A reference keeps its meaning until a customer is deleted or takes another external_id. Each
    such change raises the tenant's version in its own transaction, and every use compares it in
    the transaction that acts, so that no process can be fooled by another's change. Clearing the
    test data begins the versions anew, so the number of resets is compared, too.
    """

    def __init__(self) -> None:
        self._known: dict[Tenant, _Known] = {}
        self._size = 0

    async def resolve(self, tx: Transaction, references: AbstractSet[str]) -> dict[str, CustomerId]:
        """The customers behind the references, and maybe others; unknown ones are absent."""
        version = (tx.resets, await customers.changes_version(tx))
        known = self._known.get(tx.tenant)
        if known is None or known.version != version:
            known = self._replace(tx.tenant, _Known(version))
        missing = references - known.customers.keys()
        if not missing:
            return known.customers
        found = await customers.resolve(tx, missing)
        if self._size + len(found) > REFERENCES_MAX:
            self._known.clear()
            self._size = 0
            known = self._replace(tx.tenant, _Known(version))
            found = await customers.resolve(tx, references)
        known.customers.update(found)
        if self._known.get(tx.tenant) is known:
            self._size += len(found)
        return known.customers

    def _replace(self, tenant: Tenant, known: _Known) -> _Known:
        before = self._known.get(tenant)
        self._size -= len(before.customers) if before else 0
        self._known[tenant] = known
        return known
