"""What needs an operator's eye: due work of any organisation that failed and was set aside."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from monigo.bootstrap import Services
from monigo.core.paging import PageRequest
from monigo.core.times import format_instant
from monigo.infra import agenda
from monigo.infra.agenda import SetAside
from monigo.infra.db import Tenant

# A report of more findings of one organisation would not help to find their cause.
LISTED_MAX = 1_000


class Found(Struct, frozen=True):
    """One piece of work that was set aside, and whose it is."""

    tenant: Tenant
    work: SetAside

    def as_json(self) -> dict[str, Any]:
        """The wire form."""
        return {
            "org_id": str(self.tenant.org_id),
            "is_test": self.tenant.is_test,
            "kind": self.work.kind,
            "subject_id": str(self.work.subject),
            "reason": self.work.reason,
            "attempts": self.work.attempts,
            "next_attempt_at": self.work.due_at and format_instant(self.work.due_at),
        }

    def as_line(self) -> str:
        """A line for people."""
        mode = "test" if self.tenant.is_test else "live"
        again = "no more" if self.work.due_at is None else format_instant(self.work.due_at)
        return (
            f"{self.tenant.org_id} {mode}: {self.work.kind} {self.work.subject}:"
            f" {self.work.reason}; tried {self.work.attempts} times, again {again}"
        )


async def list_set_aside(services: Services) -> list[Found]:
    """Work of all organisations that was set aside, of each so much at most."""
    found: list[Found] = []
    for tenant in await agenda.tenants_with_set_aside(services.database):
        async with services.database.snapshot(tenant) as tx:
            page = await agenda.list_set_aside(tx, PageRequest(limit=LISTED_MAX))
        found += [Found(tenant, work) for work in page.items]
    return found


def as_lines(found: Sequence[Found]) -> str:
    """The report for people."""
    summary = f"{len(found) or 'no'} due work set aside"
    return "\n".join([*(one.as_line() for one in found), summary])
