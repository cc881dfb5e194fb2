"""Routes of customers."""

from typing import Any, Self

from fastapi import APIRouter, Response
from msgspec.structs import replace
from pydantic import Field

from monigo import customers
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.fields import (
    Incoming,
    Instant,
    ListEnvelope,
    Message,
    Metadata,
    MetadataOut,
    Name,
    Outgoing,
)
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.paging import Paging
from monigo.core.ids import CustomerId, OrganizationId
from monigo.core.permissions import Permission
from monigo.customers import Customer, CustomerDetails
from monigo.infra.db import Transaction

router = APIRouter(route_class=TenantRoute, tags=["customers"])


class CustomerIn(Incoming):
    """A customer to create or change; what is not sent stays as it is."""

    external_id: Name | None = Field(default=None, examples=["driver-42"])
    name: Name | None = Field(default=None, examples=["Ada Obi"])
    email: Name | None = Field(default=None, examples=["ada@example.com"])
    phone: Name | None = Field(default=None, examples=["+2348012345678"])
    metadata: Metadata | None = None

    def details(self) -> dict[str, Any]:
        """What the client said."""
        return self.given("external_id", "name", "email", "phone", "metadata")


class CustomerOut(Outgoing):
    """A customer."""

    id: CustomerId
    org_id: OrganizationId
    external_id: str
    name: str
    email: str
    phone: str
    metadata: MetadataOut
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
            metadata=details.metadata,
            created_at=customer.created_at,
            updated_at=customer.updated_at,
        )


class CustomerEnvelope(Outgoing):
    """One customer."""

    customer: CustomerOut


class CustomerList(ListEnvelope):
    """Customers, newest first."""

    customers: list[CustomerOut]


@router.post(
    "/customers",
    status_code=201,
    responses={200: {"model": CustomerEnvelope, "description": "It existed, with this content."}},
)
@atomic(Permission.CUSTOMERS_WRITE)
async def create_customer(tx: Tx, body: CustomerIn, response: Response) -> CustomerEnvelope:
    """Create a customer. The same external_id with the same content returns the existing one."""
    nothing = CustomerDetails(external_id="", name="", email="", phone="", metadata={})
    customer, created = await customers.create(tx, replace(nothing, **body.details()))
    if not created:
        response.status_code = 200
    return CustomerEnvelope(customer=CustomerOut.of(tx, customer))


@router.get("/customers", response_model=CustomerList)
@atomic(Permission.CUSTOMERS_READ)
async def list_customers(tx: Tx, paging: Paging) -> ListResponse:
    """List customers, newest first."""
    page = await customers.list_page(tx, paging)
    return ListResponse("customers", page, lambda item: CustomerOut.of(tx, item))


@router.get("/customers/{customer_id}")
@atomic(Permission.CUSTOMERS_READ)
async def get_customer(tx: Tx, customer_id: Name) -> CustomerEnvelope:
    """Read a customer by its id or external_id."""
    return CustomerEnvelope(customer=CustomerOut.of(tx, await customers.get(tx, customer_id)))


@router.put("/customers/{customer_id}")
@atomic(Permission.CUSTOMERS_WRITE)
async def update_customer(tx: Tx, customer_id: Name, body: CustomerIn) -> CustomerEnvelope:
    """Change what is sent, and leave the rest."""
    customer = await customers.update(tx, customer_id, body.details())
    return CustomerEnvelope(customer=CustomerOut.of(tx, customer))


@router.delete("/customers/{customer_id}")
@atomic(Permission.CUSTOMERS_WRITE)
async def delete_customer(tx: Tx, customer_id: Name) -> Message:
    """Hide a customer, unless it has an active subscription or owes an invoice."""
    await customers.delete(tx, customer_id)
    return Message(message="customer deleted")
