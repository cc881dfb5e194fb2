"""Customers: whom a merchant bills or pays."""

from monigo.customers.service import (
    DeletionGuard,
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
from monigo.customers.types import Customer, CustomerDetails

__all__ = [
    "Customer",
    "CustomerDetails",
    "DeletionGuard",
    "changes_version",
    "create",
    "delete",
    "get",
    "hold",
    "list_page",
    "names",
    "resolve",
    "update",
]
