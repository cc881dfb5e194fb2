"""Customers: whom a merchant bills or pays."""

from datetime import datetime
from typing import Any

from msgspec import Struct

from monigo.core.ids import CustomerId


class CustomerDetails(Struct, frozen=True):
    """A customer's details as the merchant sets them; unset text is empty.

    `locale` is the BCP 47 tag of the language to write in; empty: the organisation's.
    """

    external_id: str
    name: str
    email: str
    phone: str
    metadata: Any
    locale: str = ""


class Customer(Struct, frozen=True):
    """A customer as stored."""

    id: CustomerId
    details: CustomerDetails
    created_at: datetime
    updated_at: datetime


class CustomerDeletion(Struct, frozen=True):
    """The question whether a locked customer may be deleted."""

    customer_id: CustomerId
