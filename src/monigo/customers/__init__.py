"""Customers: whom a merchant bills or pays."""

from monigo.customers import events
from monigo.customers.service import (
    changes_version,
    create,
    delete,
    get,
    list_page,
    living,
    lock,
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
    "list_page",
    "living",
    "lock",
    "names",
    "resolve",
    "update",
]
