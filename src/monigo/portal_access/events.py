"""The facts of portal tokens."""

from monigo.core.ids import CustomerId, PortalTokenId
from monigo.infra.outbox import Fact


class PortalTokenFact(Fact, frozen=True, kw_only=True):
    """Something that happened to a portal token."""

    subject = "portal_token"
    subject_field = "portal_token_id"
    portal_token_id: PortalTokenId
    customer_id: CustomerId


class PortalTokenIssued(PortalTokenFact, frozen=True, kw_only=True):
    """A customer's portal can be opened by another token."""

    label: str
    access: str


class PortalTokenRevoked(PortalTokenFact, frozen=True, kw_only=True):
    """A portal token counts no more."""
