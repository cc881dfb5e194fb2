"""People: their accounts, how they sign in, and the organisations that they belong to."""

from monigo.people import (
    accounts,
    countries,
    organizations,
    second_factor,
    sessions,
    sign_in,
)
from monigo.people.accounts import NewAccount
from monigo.people.countries import (
    Country,
    Currency,
    ProviderOfCountry,
    ProviderOfCurrency,
)
from monigo.people.organizations import Founded, InvitationStatus, Member, NamedInvitation
from monigo.people.second_factor import AddedPasskey, Passkey, Setup, State
from monigo.people.service import People
from monigo.people.sessions import (
    ACCESS_LIFE,
    SESSION_LIFE,
    AccessTokens,
    Claims,
    Session,
    SignedIn,
)
from monigo.people.sign_in import Challenged, Shown
from monigo.people.types import MembershipOf, Origin, User

__all__ = [
    "ACCESS_LIFE",
    "SESSION_LIFE",
    "AccessTokens",
    "AddedPasskey",
    "Challenged",
    "Claims",
    "Country",
    "Currency",
    "Founded",
    "InvitationStatus",
    "Member",
    "MembershipOf",
    "NamedInvitation",
    "NewAccount",
    "Origin",
    "Passkey",
    "People",
    "ProviderOfCountry",
    "ProviderOfCurrency",
    "Session",
    "Setup",
    "Shown",
    "SignedIn",
    "State",
    "User",
    "accounts",
    "countries",
    "organizations",
    "second_factor",
    "sessions",
    "sign_in",
]
