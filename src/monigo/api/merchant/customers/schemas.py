"""Customers on the wire."""

from typing import Any, Self

from pydantic import Field

from monigo.api.kernel.wire.incoming import Incoming, Metadata, Name
from monigo.api.kernel.wire.outgoing import FreeForm, Instant, ListEnvelope, Outgoing
from monigo.core.ids import CustomerId, OrganizationId
from monigo.customers import Customer
from monigo.infra import json
from monigo.infra.db import Transaction


class CustomerIn(Incoming):
    """A customer to create or change; what is not sent stays as it is."""

    external_id: Name | None = Field(default=None, examples=["driver-42"])
    name: Name | None = Field(default=None, examples=["Ada Obi"])
    email: Name | None = Field(default=None, examples=["ada@example.com"])
    phone: Name | None = Field(default=None, examples=["+2348012345678"])
    metadata: Metadata | None = None
    locale: Name | None = Field(
        default=None,
        description="the language to write in, as a BCP 47 tag; empty: `default_locale`",
        examples=["fr-SN"],
    )

    def details(self) -> dict[str, Any]:
        """The details as a value of the domain."""
        return self.given("external_id", "name", "email", "phone", "metadata", "locale")


class CustomerOut(Outgoing, frozen=True):
    """A customer."""

    id: CustomerId
    org_id: OrganizationId
    external_id: str
    name: str
    email: str
    phone: str
    metadata: FreeForm
    locale: str
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, tx: Transaction, customer: Customer) -> Self:
        """The wire form."""
        details = customer.details
        return cls(
            id=customer.id,
            org_id=tx.org_id,
            external_id=details.external_id,
            name=details.name,
            email=details.email,
            phone=details.phone,
            metadata=json.exact_floats(details.metadata),
            locale=details.locale,
            created_at=customer.created_at,
            updated_at=customer.updated_at,
        )


class CustomerEnvelope(Outgoing, frozen=True):
    """One customer."""

    customer: CustomerOut


class CustomerList(ListEnvelope, frozen=True):
    """Customers, newest first."""

    customers: list[CustomerOut]
