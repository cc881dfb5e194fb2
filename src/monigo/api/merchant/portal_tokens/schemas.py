"""Portal tokens on the wire."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Self

from msgspec import Meta
from pydantic import Field, model_validator

from monigo import portal_access
from monigo.api.kernel.changes import Changes
from monigo.api.kernel.wire.incoming import Incoming, InstantIn, Name, Text
from monigo.api.kernel.wire.outgoing import Instant, ListEnvelope, Outgoing
from monigo.core.errors import invalid
from monigo.core.ids import CustomerId, OrganizationId, PortalTokenId
from monigo.infra.db import Transaction
from monigo.portal_access import Access, NewToken, PortalToken, TokenKind


class OwnerIn(Incoming):
    """Whose portal it is: the customer by id or external_id, in either field."""

    customer_id: Name | None = Field(default=None, examples=["driver-42"])
    customer_external_id: Name | None = Field(default=None, examples=["driver-42"])

    def customer(self) -> str:
        """The one customer that is named. Raises invalid."""
        named = {one for one in (self.customer_id, self.customer_external_id) if one}
        if not named:
            raise invalid({"customer_external_id": "is required"})
        if len(named) > 1:
            raise invalid({"customer_external_id": "differs from customer_id"})
        return named.pop()


class PortalTokenIn(OwnerIn):
    """A link to a customer's portal; without `expires_at` it lasts 90 days, with null for ever."""

    label: Text | None = Field(
        default=None, max_length=portal_access.LABEL_LENGTH_MAX, examples=["invoice mail"]
    )
    access: Access | None = Field(
        default=None, description="`read` may only look; usually `full`", examples=["full"]
    )
    expires_at: InstantIn = None

    @model_validator(mode="before")
    @classmethod
    def _empty_as_absent(cls, body: Any) -> Any:
        """An empty text is no end that was chosen, and above all not "for ever"."""
        if isinstance(body, dict) and body.get("expires_at") == "":
            return {field: value for field, value in body.items() if field != "expires_at"}
        return body

    def wanted(self, now: datetime) -> NewToken:
        """What is asked for."""
        is_given = "expires_at" in self.model_fields_set
        return NewToken(
            label=self.label or "",
            access=self.access or Access.FULL,
            expires_at=self.expires_at if is_given else now + portal_access.LINK_LASTS,
        )


class PortalSessionIn(OwnerIn):
    """A visit of a customer that a merchant's page opens."""

    access: Access | None = None
    expires_in: int | None = Field(
        default=None,
        ge=portal_access.SESSION_SECONDS_MIN,
        le=portal_access.SESSION_SECONDS_MAX,
        description="in seconds",
        examples=[portal_access.SESSION_SECONDS],
    )

    def wanted(self, now: datetime) -> NewToken:
        """What is asked for."""
        lasts = timedelta(seconds=self.expires_in or portal_access.SESSION_SECONDS)
        return NewToken(
            access=self.access or Access.FULL, expires_at=now + lasts, kind=TokenKind.SESSION
        )


class PortalTokenOut(Outgoing, frozen=True):
    """A link to a customer's portal."""

    id: PortalTokenId
    org_id: OrganizationId
    customer_id: CustomerId
    token: Annotated[
        str, Meta(description="64 hex digits; empty for who may not make portal tokens")
    ]
    label: str
    access: Access
    expires_at: Instant | None
    revoked_at: Instant | None
    last_used_at: Instant | None
    created_at: Instant
    updated_at: Instant
    portal_url: Annotated[str, Meta(description="where the customer opens it; empty as `token`")]

    @classmethod
    def of(cls, tx: Transaction, token: PortalToken, secret: str, url: str) -> Self:
        """The wire form, with the token in the clear if it is given."""
        return cls(
            id=token.id,
            org_id=tx.org_id,
            customer_id=token.customer_id,
            token=secret,
            label=token.label,
            access=token.access,
            expires_at=token.expires_at,
            revoked_at=token.revoked_at,
            last_used_at=token.last_used_at,
            created_at=token.created_at,
            updated_at=token.updated_at,
            portal_url=f"{url}/portal/{secret}" if secret else "",
        )

    @classmethod
    def masked(cls, tx: Transaction, token: PortalToken) -> Self:
        """The wire form for the audit log, without the token."""
        return cls.of(tx, token, "", "")


class PortalTokenEnvelope(Outgoing, frozen=True):
    """One portal token, and where it leads."""

    token: PortalTokenOut
    portal_url: str


class PortalTokenList(ListEnvelope, frozen=True):
    """Links that were not revoked, newest first."""

    tokens: list[PortalTokenOut]


class PortalSessionOut(Outgoing, frozen=True):
    """A token that opens a customer's portal for one visit."""

    token: str
    expires_at: Instant
    portal_url: str


class PortalSessionEnvelope(Outgoing, frozen=True):
    """One session."""

    session: PortalSessionOut


PORTAL_TOKEN = Changes("portal_token", PortalToken, PortalTokenOut.masked)
