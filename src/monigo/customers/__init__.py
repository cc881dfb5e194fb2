"""Customers: whom a merchant bills or pays."""

from monigo.customers import events
from monigo.customers.service import (
    changes_version,
    create,
    delete,
    get,
    hold,
    list_page,
    names,
    resolve,
    update,
)
from monigo.customers.types import Customer, CustomerDeletion, CustomerDetails

__all__ = [
    "Customer",
    "CustomerDeletion",
    "CustomerDetails",
    "changes_version",
    "create",
    "delete",
    "events",
    "get",
    "hold",
    "list_page",
    "names",
    "resolve",
    "update",
]
