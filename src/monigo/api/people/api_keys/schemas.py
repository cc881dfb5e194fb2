"""API keys on the wire."""

from datetime import UTC, datetime
from typing import Annotated, Self

import msgspec
from msgspec import UNSET, Meta, UnsetType
from pydantic import Field

from monigo.api.kernel.wire.incoming import Id, Incoming, InstantIn, Name
from monigo.api.kernel.wire.outgoing import Instant, ListEnvelope, Outgoing
from monigo.core.access import Scope
from monigo.core.ids import ApiKeyId, OrganizationId
from monigo.tenancy import ApiKey, IssuedKey


class ApiKeyIn(Incoming):
    """A key to make."""

    org_id: Id | None = None
    name: Name = Field(examples=["billing service"])
    scopes: list[Scope] = Field(examples=[["ingest", "read"]])
    is_test_mode: bool = Field(default=False, description="act on test data, instead of live data")
    expires_at: InstantIn = Field(default=None, examples=["2027-01-01T00:00:00Z"])


class ApiKeyOut(Outgoing, frozen=True):
    """A key; its secret is shown when it is made, and never again."""

    id: ApiKeyId
    org_id: OrganizationId
    name: str
    key_prefix: str
    scopes: list[Scope]
    is_test_mode: bool
    is_active: bool
    expires_at: Instant | None
    last_used_at: Annotated[Instant | None, Meta(description="to the minute")]
    revoked_at: Instant | None
    created_at: Instant
    updated_at: Instant
    key: Annotated[str | UnsetType, Meta(description="shown once")] = UNSET

    @classmethod
    def of(cls, key: ApiKey, now: datetime) -> Self:
        """The wire form."""
        return cls(
            id=key.id,
            org_id=key.org_id,
            name=key.name,
            key_prefix=key.key_prefix,
            scopes=list(key.scopes),
            is_test_mode=key.is_test_mode,
            is_active=key.is_active(now),
            expires_at=key.expires_at,
            last_used_at=key.last_used_at,
            revoked_at=key.revoked_at,
            created_at=key.created_at,
            updated_at=key.updated_at,
        )

    @classmethod
    def of_new(cls, issued: IssuedKey) -> Self:
        """The wire form of a key that was just made, with its secret."""
        shown = cls.of(issued.key, issued.key.created_at.astimezone(UTC))
        return msgspec.structs.replace(shown, key=issued.secret)


class ApiKeyEnvelope(Outgoing, frozen=True):
    """One key, and what happened to it."""

    api_key: ApiKeyOut
    message: str


class ApiKeyList(ListEnvelope, frozen=True):
    """An organisation's keys of both modes, newest first."""

    api_keys: list[ApiKeyOut]
