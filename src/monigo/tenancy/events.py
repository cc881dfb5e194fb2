"""The facts of organisations and API keys."""

from uuid import UUID

from monigo.core.ids import ApiKeyId, OrganizationId
from monigo.infra.outbox import Fact
from monigo.tenancy.types import Scope


class OrganizationFact(Fact, frozen=True, kw_only=True):
    """A fact of an organisation, reported in the mode of the caller who caused it."""

    subject = "organization"
    organization_id: OrganizationId

    @property
    def subject_id(self) -> UUID:
        """The organisation."""
        return self.organization_id


class OrganizationCreated(OrganizationFact, frozen=True, kw_only=True):
    """An organisation is there from now on."""


class OrganizationSettingsChanged(OrganizationFact, frozen=True, kw_only=True):
    """Settings of an organisation were changed: those that are named."""

    changed: tuple[str, ...]


class ApiKeyFact(Fact, frozen=True, kw_only=True):
    """Something that happened to an API key, reported in the key's mode."""

    subject = "api_key"
    api_key_id: ApiKeyId

    @property
    def subject_id(self) -> UUID:
        """The key."""
        return self.api_key_id


class ApiKeyIssued(ApiKeyFact, frozen=True, kw_only=True):
    """A key acts for the organisation from now on."""

    name: str
    scopes: tuple[Scope, ...]


class ApiKeyRevoked(ApiKeyFact, frozen=True, kw_only=True):
    """A key was ended."""


class ApiKeySwitched(ApiKeyFact, frozen=True, kw_only=True):
    """A key was switched off, or on again."""

    is_on: bool
