"""The organisations of a person on the wire."""

from typing import Annotated, Self

from pydantic import Field

from monigo import people
from monigo.api.kernel.wire.incoming import Incoming, Name, RateIn
from monigo.api.kernel.wire.outgoing import ListEnvelope, Outgoing
from monigo.api.merchant.organization.schemas import OrganizationOut
from monigo.api.people.api_keys.schemas import ApiKeyOut
from monigo.api.people.auth.schemas import MembershipOut
from monigo.people import Founded
from monigo.tenancy import BillingSettings, NewOrganization


class FoundIn(Incoming):
    """A new organisation; what is not sent is proposed by its country."""

    name: Name = Field(examples=["Lagos Rides"])
    country: Name = Field(default="NG", examples=["NG"])
    timezone: Name | None = Field(default=None, examples=["Africa/Lagos"])
    default_currency: Name | None = Field(default=None, examples=["NGN"])
    available_currencies: Annotated[list[Name] | None, Field(examples=[["NGN", "KES"]])] = None
    vat_rate: RateIn | None = None

    def wanted(self) -> NewOrganization:
        """What is to be made."""
        proposed = people.countries.proposal_for(self.country)
        billing = BillingSettings(
            timezone=self.timezone or proposed.timezone,
            default_currency=self.default_currency or proposed.currency,
            # The default one is always among them.
            available_currencies=tuple(self.available_currencies or ()),
            vat_rate=proposed.vat_rate if self.vat_rate is None else self.vat_rate,
        )
        return NewOrganization(self.name, self.country, billing)


class FoundedOut(Outgoing, frozen=True):
    """A new organisation, and its first keys, which are shown this once."""

    organization: OrganizationOut
    api_keys: list[ApiKeyOut]

    @classmethod
    def of(cls, founded: Founded) -> Self:
        """The wire form."""
        return cls(
            organization=OrganizationOut.of(founded.organization),
            api_keys=[ApiKeyOut.of_new(issued) for issued in founded.keys],
        )


class MembershipList(ListEnvelope, frozen=True):
    """The organisations that a person belongs to, in the order of joining."""

    organizations: list[MembershipOut]
