"""Which routers people have, all under /api/v1, by what they need of a caller."""

from fastapi import APIRouter

from monigo.api.people.api_keys.routes import router as api_keys
from monigo.api.people.audit_logs.routes import router as audit_logs
from monigo.api.people.auth.routes import of_persons as reauthentication
from monigo.api.people.auth.routes import router as auth
from monigo.api.people.countries.routes import router as countries
from monigo.api.people.dashboard.routes import router as dashboard
from monigo.api.people.invitations.routes import of_organization as invitations_of_organization
from monigo.api.people.invitations.routes import router as invitations
from monigo.api.people.members.routes import router as members
from monigo.api.people.onboarding.routes import router as onboarding
from monigo.api.people.organizations.routes import of_organization as organization
from monigo.api.people.organizations.routes import router as organizations
from monigo.api.people.passkeys.routes import router as passkeys
from monigo.api.people.sessions.routes import router as sessions
from monigo.api.people.user.routes import router as user

# Open routes, without a credential.
OPEN_ROUTERS: tuple[APIRouter, ...] = (auth, countries)

# For who is signed in, on their own account.
PERSON_ROUTERS: tuple[APIRouter, ...] = (
    reauthentication,
    sessions,
    user,
    passkeys,
    organizations,
    invitations,
)

# For who belongs to the organisation that the path names.
ORGANIZATION_ROUTERS: tuple[APIRouter, ...] = (organization, members, invitations_of_organization)

# For who belongs to the organisation that the query or the body names.
TENANT_ROUTERS: tuple[APIRouter, ...] = (api_keys, audit_logs, dashboard, onboarding)
