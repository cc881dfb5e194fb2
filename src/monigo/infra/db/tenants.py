"""Whose data a transaction sees, and what was changed of it."""

from typing import Any
from uuid import UUID

from msgspec import Struct

from monigo.core.ids import OrganizationId


class Tenant(Struct, frozen=True):
    """Whose data: one organisation in one mode."""

    org_id: OrganizationId
    is_test: bool


# Of no organisation: what belongs to the installation itself, such as the mails to people who sign
# up. No organisation has this id.
INSTALLATION = Tenant(OrganizationId(UUID(int=0)), is_test=False)


class Change(Struct, frozen=True):
    """What a use case changed: one thing before and after; None where there was or is none."""

    tenant: Tenant
    before: Any
    after: Any
