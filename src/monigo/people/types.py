"""What all of `people` knows: who a person is, and from where a request comes."""

from datetime import datetime

from msgspec import Struct

from monigo.core.access import Permission, Role
from monigo.core.ids import OrganizationId, UserId


class Origin(Struct, frozen=True):
    """The origin of a request: its network address and User-Agent."""

    address: str
    user_agent: str


class User(Struct, frozen=True):
    """A person whose e-mail is verified."""

    id: UserId
    email: str
    full_name: str
    created_at: datetime
    updated_at: datetime


class MembershipOf(Struct, frozen=True):
    """An organisation that a person belongs to, as what, and what that allows now."""

    org_id: OrganizationId
    name: str
    role: Role
    permissions: frozenset[Permission]
