"""Routes of customers."""

from fastapi import APIRouter
from msgspec.structs import replace

from monigo import customers
from monigo.api.kernel.changes import Changes
from monigo.api.kernel.routes.declarations import atomic
from monigo.api.kernel.routes.tenant import TenantRoute, Tx
from monigo.api.kernel.wire.incoming import Name
from monigo.api.kernel.wire.listing import ListResponse
from monigo.api.kernel.wire.outgoing import Answer, Message
from monigo.api.kernel.wire.paging import Paging
from monigo.api.merchant.customers.schemas import (
    CustomerEnvelope,
    CustomerIn,
    CustomerList,
    CustomerOut,
)
from monigo.core.access import Permission
from monigo.customers import Customer, CustomerDetails

router = APIRouter(route_class=TenantRoute, tags=["customers"])

CUSTOMER = Changes("customer", Customer, CustomerOut.of)


@router.post(
    "/customers",
    response_model=CustomerEnvelope,
    status_code=201,
    responses={200: {"model": CustomerEnvelope, "description": "It existed, with this content."}},
)
@atomic(Permission.CUSTOMERS_WRITE, changes=CUSTOMER)
async def create_customer(tx: Tx, body: CustomerIn) -> Answer:
    """Create a customer. The same external_id with the same content returns the existing one."""
    nothing = CustomerDetails(external_id="", name="", email="", phone="", metadata={})
    customer, created = await customers.create(tx, replace(nothing, **body.details()))
    return Answer(CustomerEnvelope(customer=CustomerOut.of(tx, customer)), 201 if created else 200)


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
@atomic(Permission.CUSTOMERS_WRITE, changes=CUSTOMER)
async def update_customer(tx: Tx, customer_id: Name, body: CustomerIn) -> CustomerEnvelope:
    """Change what is sent, and leave the rest."""
    customer = await customers.update(tx, customer_id, body.details())
    return CustomerEnvelope(customer=CustomerOut.of(tx, customer))


@router.delete("/customers/{customer_id}")
@atomic(Permission.CUSTOMERS_WRITE, changes=CUSTOMER)
async def delete_customer(tx: Tx, customer_id: Name) -> Message:
    """Hide a customer, unless it has an active subscription or an unpaid invoice."""
    await customers.delete(tx, customer_id)
    return Message(message="customer deleted")
