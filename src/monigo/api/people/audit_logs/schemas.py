"""Entries of the audit log on the wire."""

from typing import Annotated, Any, Self
from uuid import UUID

from msgspec import Meta

from monigo.api.kernel.wire.outgoing import Instant, Outgoing
from monigo.audit import Fields, LoggedEntry
from monigo.core.ids import OrganizationId
from monigo.infra import json

ChangedFields = Annotated[
    dict[str, Any] | None,
    Meta(description="the fields that changed; secrets are •••, long values are cut"),
]


class AuditLogOut(Outgoing, frozen=True):
    """What one request changed, and who sent it."""

    id: UUID
    org_id: OrganizationId
    sequence: Annotated[int, Meta(description="its place in the organisation's chain")]
    is_test: Annotated[
        bool | None, Meta(description="null: the organisation itself, none of its modes")
    ]
    actor_type: Annotated[str, Meta(examples=["person"])]
    actor_id: str
    actor_name: Annotated[str, Meta(examples=["Ada Obi"])]
    permission: Annotated[str, Meta(examples=["customers:write"])]
    action: Annotated[str, Meta(examples=["update_customer"])]
    route: Annotated[str, Meta(examples=["PUT /v1/customers/{customer_id}"])]
    resource_type: Annotated[str, Meta(examples=["customer"])]
    resource_id: UUID
    before: ChangedFields
    after: ChangedFields
    ip_address: Annotated[str, Meta(description="of IPv6 the /64 that it lies in")]
    user_agent: str
    request_id: str
    chain_hash: Annotated[
        str, Meta(description="SHA-256, in hex, over the link before it and this entry")
    ]
    created_at: Instant

    @classmethod
    def of(cls, org_id: OrganizationId, entry: LoggedEntry) -> Self:
        """The wire form."""
        return cls(
            id=entry.id,
            org_id=org_id,
            sequence=entry.sequence,
            is_test=entry.is_test_mode,
            actor_type=entry.actor_kind,
            actor_id=entry.actor_id,
            actor_name=entry.actor_name,
            permission=entry.permission,
            action=entry.action,
            route=entry.route,
            resource_type=entry.resource_type,
            resource_id=entry.resource_id,
            before=_shown(entry.before),
            after=_shown(entry.after),
            ip_address=entry.address,
            user_agent=entry.user_agent,
            request_id=entry.request_id,
            chain_hash=entry.chain_hash.hex(),
            created_at=entry.at,
        )


class AuditLogList(Outgoing, frozen=True):
    """Entries, newest first."""

    audit_logs: list[AuditLogOut]
    count: int
    has_more: bool
    next_cursor: Annotated[str, Meta(description="opaque; empty at the end")]


def _shown(fields: Fields | None) -> dict[str, Any] | None:
    return None if fields is None else json.exact_floats(fields)
