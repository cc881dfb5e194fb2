"""Verifies all tenants, one after the other, each in one snapshot."""

from collections import Counter
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from monigo import (
    audit,
    collection,
    invoicing,
    ledger,
    metering,
    payouts,
    portal_access,
    subscriptions,
    tenancy,
    test_mode,
    wallets,
    webhooks,
)
from monigo.bootstrap import LONG_JOBS, Services
from monigo.core.verification import Difference, Verification
from monigo.infra import agenda, outbox, queue
from monigo.infra.db import Database, Tenant
from monigo.payments.verification import verify as verify_payments

VERIFICATIONS = (
    agenda.verify,
    tenancy.verify,
    test_mode.verify,
    portal_access.verify,
    metering.verify,
    subscriptions.verify,
    invoicing.verify,
    ledger.verify,
    wallets.verify,
    collection.funding.verify,
    verify_payments,
    payouts.verify,
    partial(queue.verify, kinds=[job.kind for job in LONG_JOBS]),
    outbox.verify,
    webhooks.verify,
    audit.verify,
)


class Report(Struct, frozen=True):
    """What was looked at in all, and the differences with whose they are."""

    looked_at: Counter[str]
    differences: list[tuple[Tenant, Difference]]

    def as_json(self) -> dict[str, Any]:
        """The report for programs."""
        return {
            "looked_at": dict(self.looked_at),
            "differences": [
                {"org_id": str(tenant.org_id), "is_test": tenant.is_test, **asdict(difference)}
                for tenant, difference in self.differences
            ],
        }

    def as_lines(self) -> list[str]:
        """The report for people: a line for each difference, and a summary."""
        lines = [
            f"{tenant.org_id} {'test' if tenant.is_test else 'live'}: {difference.what}"
            f" {difference.subject}: stored {difference.stored or 'nothing'},"
            f" computed {difference.computed or 'nothing'}"
            for tenant, difference in self.differences
        ]
        counts = ", ".join(f"{count} {name}" for name, count in self.looked_at.items())
        found = len(self.differences) or "no"
        return [*lines, f"{found} difference{'s'[found == 1 :]} in {counts}"]


async def verify_all(services: Services) -> Report:
    """Compare everything that is computed with its sources."""
    report = Report(Counter(organizations=0), [])
    for org_id in await tenancy.organizations_to_verify(services.database):
        report.looked_at["organizations"] += 1
        for is_test in (True, False):
            tenant = Tenant(org_id, is_test)
            for found in await verify_tenant(services.database, tenant):
                report.looked_at.update(found.looked_at)
                report.differences.extend((tenant, one) for one in found.differences)
    return report


async def verify_tenant(database: Database, tenant: Tenant) -> list[Verification]:
    """Compare everything that is computed of one tenant, at one moment, with its sources."""
    async with database.snapshot(tenant) as tx:
        return [await verify(tx) for verify in VERIFICATIONS]
