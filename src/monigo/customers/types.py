"""Customers: whom a merchant bills or pays."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monigo.core.ids import CustomerId


@dataclass(frozen=True, slots=True)
class CustomerDetails:
    """What the merchant says of a customer; unset text is empty."""

    external_id: str
    name: str
    email: str
    phone: str
    metadata: Any


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as stored."""

    id: CustomerId
    details: CustomerDetails
    created_at: datetime
    updated_at: datetime
