"""The facts of organisations and API keys."""

from monigo.core.ids import ApiKeyId, OrganizationId
from monigo.infra.outbox import Fact
from monigo.tenancy.types import Scope


class OrganizationFact(Fact, frozen=True, kw_only=True):
    """A fact of an organisation, reported in the mode of the caller who caused it."""

    subject = "organization"
    subject_field = "organization_id"
    organization_id: OrganizationId


class OrganizationCreated(OrganizationFact, frozen=True, kw_only=True):
    """An organisation is there from now on."""


class OrganizationSettingsChanged(OrganizationFact, frozen=True, kw_only=True):
    """Settings of an organisation were changed: those that are named."""

    changed: tuple[str, ...]


class OrganizationSuspended(OrganizationFact, frozen=True, kw_only=True):
    """Its people and keys may only read from now on."""


class OrganizationActivated(OrganizationFact, frozen=True, kw_only=True):
    """It is suspended no more."""


class ApiKeyFact(Fact, frozen=True, kw_only=True):
    """Something that happened to an API key, reported in the key's mode."""

    subject = "api_key"
    subject_field = "api_key_id"
    api_key_id: ApiKeyId


class ApiKeyIssued(ApiKeyFact, frozen=True, kw_only=True):
    """A key acts for the organisation from now on."""

    name: str
    scopes: tuple[Scope, ...]


class ApiKeyRevoked(ApiKeyFact, frozen=True, kw_only=True):
    """A key was ended."""


class ApiKeySwitched(ApiKeyFact, frozen=True, kw_only=True):
    """A key was switched off, or on again."""

    is_on: bool
